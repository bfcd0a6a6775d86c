"""Weight standardisation.

S. Qiao, H. Wang, C. Liu, W. Shen, A. Yuille, "Micro-Batch Training with Batch-Channel
Normalization and Weight Standardization" (2019, arXiv:1903.10520):

    Ŵ_o = (W_o − mean(W_o)) / √(var(W_o) + ε)   over all inputs and taps of output filter o,

with the unbiased variance, as in the code that came with the paper. Differs from it only in
speed: the two moments and their gradients are those of a batch normalisation of the weight, which
PyTorch has as one kernel (2 to 5 × faster forward and backward on one CPU thread).
"""

# C channels, k a kernel axis

import math

from torch import Tensor, nn
from torch.nn import functional as F

from .arguments import check_feature_map


def weight_standardize(weight: Tensor, eps: float = 1e-5) -> Tensor:
    """Return `weight` with mean 0 and variance 1 (unbiased) in each output filter.

    Args:
        weight: (C_out, C_in / groups, k…), with two or more numbers per filter.
        eps: added to the variance, > 0.

    Returns:
        the shape of `weight`

    Raises:
        ValueError: fewer than two axes, or one number per filter, which has no variance.
    """
    fan_in = math.prod(weight.shape[1:])
    if weight.dim() < 2 or fan_in < 2:
        raise ValueError(
            f"weight has shape {tuple(weight.shape)}: expected two or more numbers in each "
            "output filter"
        )
    # batch_norm divides by √(v + e) with the biased v = u·(n−1)/n. With e = ε·(n−1)/n that is
    # √((n−1)/n)·√(u + ε); its per-channel gain takes the first root back.
    unbias = (fan_in - 1) / fan_in
    filters = weight.reshape(1, weight.shape[0], fan_in)
    gain = weight.new_full((weight.shape[0],), math.sqrt(unbias))
    standardized = F.batch_norm(
        filters, None, None, weight=gain, training=True, momentum=0.0, eps=eps * unbias
    )
    return standardized.reshape(weight.shape)


class _WeightStandardized(nn.modules.conv._ConvNd):
    """Convolution of `torch.nn` whose kernel is standardised at each call.

    Takes exactly the arguments of the layer of `torch.nn` it replaces, and its `state_dict`. For
    another padding mode on each axis pad with `pad_axes` before, and give ``padding=0``.

    Shape:
        as the layer of `torch.nn`

    Raises:
        ValueError: a kernel with one number per output filter (1 × 1 depthwise); input of another
            rank, channel count or type.

    Example:
        >>> layer = WSConv2d(8, 16, kernel_size=3, padding=1)
        >>> layer(torch.zeros(1, 8, 5, 5)).shape
        torch.Size([1, 16, 5, 5])
    """

    eps: float = 1e-5

    def reset_parameters(self) -> None:
        if self.weight[0].numel() < 2:
            raise ValueError(
                f"weight has shape {tuple(self.weight.shape)}: expected two or more numbers in "
                "each output filter"
            )
        super().reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        dims = len(self.kernel_size)
        is_unbatched = x.dim() == dims + 1 and x.shape[0] == self.in_channels
        batch = x.unsqueeze(0) if is_unbatched else x  # as in torch, the batch may be left out
        check_feature_map(batch, self.in_channels, dims, self.weight.dtype)
        return self._conv_forward(x, weight_standardize(self.weight, self.eps), self.bias)


class WSConv1d(_WeightStandardized, nn.Conv1d):
    __doc__ = str(_WeightStandardized.__doc__)


class WSConv2d(_WeightStandardized, nn.Conv2d):
    __doc__ = str(_WeightStandardized.__doc__)


class WSConv3d(_WeightStandardized, nn.Conv3d):
    __doc__ = str(_WeightStandardized.__doc__)
