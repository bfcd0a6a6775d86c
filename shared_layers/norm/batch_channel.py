"""Batch-channel normalisation, with batch or with estimated statistics.

S. Qiao, H. Wang, C. Liu, W. Shen, A. Yuille, "Micro-Batch Training with Batch-Channel
Normalization and Weight Standardization" (2019, arXiv:1903.10520):

    BCN(x) = γ_g · GroupNorm( γ_c · (x − μ_c) / √(σ²_c + ε) + β_c ) + β_g

with one γ_c, β_c per channel and one γ_g, β_g per **group**. For large batches μ_c, σ²_c are the
batch's; for micro-batches (1 or 2 volumes) they are running estimates, in training too:

    σ²_c ← (1 − r) σ²_c + r · mean((x − μ_c)²),   μ_c ← (1 − r) μ_c + r · mean(x),

with the deviation taken from the mean *before* its update. Differs from the authors' code: the
rate r is an argument (theirs is a buffer that starts at 0 and needs an outer schedule, else the
estimates never move; they set it to the learning rate).
"""

# B batch, C channels, S a spatial axis, G groups

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from shared_layers.conv.arguments import check_channels


class EstimatedBatchNorm(nn.Module):
    """Batch normalisation by running estimates, while training as well as after it.

    What becomes of one sample does not depend on its batch, except through the estimates; no
    gradient flows through them.

    Args:
        num_features: channels C.
        eps: added to the variance, > 0.
        momentum: rate r in [0, 1] at which the estimates follow the batches.
        affine: whether a gain and an offset per channel are learned.

    Shape:
        (B, C, S…) → (B, C, S…), with any number of spatial axes

    Raises:
        ValueError: fewer than one feature, a momentum outside [0, 1], eps <= 0; input of another
            channel count or type.

    Example:
        >>> norm = EstimatedBatchNorm(4)
        >>> norm(torch.zeros(1, 4, 8, 8, 8)).shape
        torch.Size([1, 4, 8, 8, 8])
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        *,
        affine: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if num_features < 1:
            raise ValueError(f"num_features={num_features}: expected an integer >= 1")
        if not 0 <= momentum <= 1:
            raise ValueError(f"momentum={momentum}: expected a rate in [0, 1]")
        if eps <= 0:
            raise ValueError(f"eps={eps}: expected a number > 0")
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        zeros = torch.zeros(num_features, device=device, dtype=dtype)
        self.weight = nn.Parameter(torch.ones_like(zeros)) if affine else None
        self.bias = nn.Parameter(zeros.clone()) if affine else None
        self.register_buffer("running_mean", zeros)
        self.register_buffer("running_var", torch.ones_like(zeros))

    def forward(self, x: Tensor) -> Tensor:
        check_channels(x, self.num_features, self.running_mean.dtype)
        if self.training and self.momentum > 0:
            self._follow(x)
        return F.batch_norm(
            x,
            # copies: the next batch writes into the estimates before this one's backward pass
            self.running_mean.clone(),
            self.running_var.clone(),
            self.weight,
            self.bias,
            training=False,
            eps=self.eps,
        )

    @torch.no_grad()
    def _follow(self, x: Tensor) -> None:
        over = [axis for axis in range(x.dim()) if axis != 1]
        var, mean = torch.var_mean(x.to(self.running_mean.dtype), over, correction=0)
        var += (mean - self.running_mean).square()  # now mean((x − μ)²) about the old μ
        self.running_var.lerp_(var, self.momentum)
        self.running_mean.lerp_(mean, self.momentum)

    def extra_repr(self) -> str:
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"


class BatchChannelNorm(nn.Module):
    """Batch normalisation followed by group normalisation with one gain per group.

    Args:
        num_groups: groups G of the second normalisation; divides `num_channels`.
        num_channels: channels C.
        eps: added to both variances, > 0.
        momentum: rate in [0, 1] at which the running statistics follow the batches.
        is_estimated: whether the first step is `EstimatedBatchNorm` (micro-batches) instead of
            `torch.nn.BatchNorm` (large batches).

    Shape:
        (B, C, S…) → (B, C, S…), with any number of spatial axes

    Raises:
        ValueError: channels that the groups do not divide, a momentum outside [0, 1], eps <= 0;
            input of another channel count or type, or one value per channel to train on.

    Example:
        >>> norm = BatchChannelNorm(2, 8, is_estimated=True)
        >>> norm(torch.zeros(1, 8, 4, 4)).shape
        torch.Size([1, 8, 4, 4])
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        *,
        is_estimated: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if num_groups < 1 or num_channels % num_groups:
            raise ValueError(
                f"num_channels={num_channels}: expected a multiple of num_groups={num_groups}"
            )
        self.num_groups, self.is_estimated = num_groups, is_estimated
        # holds the statistics and the affine map of either form: their state_dicts are the same
        self.batch_norm = EstimatedBatchNorm(
            num_channels, eps, momentum, device=device, dtype=dtype
        )
        self.weight = nn.Parameter(torch.ones(num_groups, device=device, dtype=dtype))
        self.bias = nn.Parameter(torch.zeros(num_groups, device=device, dtype=dtype))

    def forward(self, x: Tensor) -> Tensor:
        norm = self.batch_norm
        if self.is_estimated or not self.training:
            y = norm(x)
        else:
            check_channels(x, norm.num_features, norm.running_mean.dtype)
            if x.numel() == norm.num_features:
                raise ValueError(
                    f"input has shape {tuple(x.shape)}: expected two or more values per channel "
                    "to train on; is_estimated=True takes one"
                )
            y = F.batch_norm(
                x,
                norm.running_mean,
                norm.running_var,
                norm.weight,
                norm.bias,
                training=True,
                momentum=norm.momentum,
                eps=norm.eps,
            )
        per_group = norm.num_features // self.num_groups
        return F.group_norm(
            y,
            self.num_groups,
            self.weight.repeat_interleave(per_group),
            self.bias.repeat_interleave(per_group),
            norm.eps,
        )

    def extra_repr(self) -> str:
        return f"num_groups={self.num_groups}, is_estimated={self.is_estimated}"
