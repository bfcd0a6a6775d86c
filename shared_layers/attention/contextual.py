"""Contextual attention: a hole in a feature map is filled with patches of the known part.

Yu, Lin, Yang, Shen, Lu, Huang, "Generative Image Inpainting with Contextual Attention", 2018,
arXiv:1801.07892, with the truncated distance similarity of Sagong, Shin, Kim, Park, Ko, "PEPSI:
Fast Image Inpainting with Parallel Decoding Network", CVPR 2019 (PEPSI++: arXiv:1905.09010):

    d(p, q) = ‖p − q‖²,   s(p, q) = −tanh((d(p, q) − mean_q d) / std_q d),   a(p, ·) = softmax(λ·s)

over k × k patches p of the map and q of its known part; each p is replaced by Σ_q a(p, q)·q and
overlapping patches are averaged. Differs from the official code: the whole batch at once instead of
a loop; a source patch lies inside the map and holds no hole pixel, so nothing of the hole and no
padding is ever pasted; mean and deviation are taken over the sources only; the average divides by
the number of patches that really overlap (fewer than k² at the border); known features are returned
as they came (the code leaves that blend to the layers behind); half precisions are computed in
float32, under autocast too, for distances are differences of large numbers.
"""

# B batch, C channel, n₁ n₂ the map, N = n₁·n₂ positions, k patch size

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from shared_layers.ops.autocast import autocast_to
from shared_layers.ops.precision import at_least_float32


class ContextualAttention(nn.Module):
    """Fills the holes of a feature map by attention over the patches of its known part.

    No parameters: the features are compared as they are.

    Args:
        kernel_size: odd side k of a patch.
        sharpness: λ > 0, factor of the similarity inside the softmax (50 in PEPSI).

    Shape:
        - features: (B, C, n₁, n₂), n₁ and n₂ at least k
        - hole: (B, 1, n₁, n₂) bool, True where the features are to be filled
        - output: (B, C, n₁, n₂)

    Raises:
        ValueError: an even kernel, sharpness not positive, shapes that do not fit, a map smaller
            than a patch, or a sample without any hole-free patch.

    Example:
        >>> hole = torch.zeros(1, 1, 8, 8, dtype=torch.bool)
        >>> hole[..., 3:5, 3:5] = True
        >>> ContextualAttention()(torch.ones(1, 2, 8, 8), hole).mean()
        tensor(1.)
    """

    def __init__(self, kernel_size: int = 3, *, sharpness: float = 50.0) -> None:
        super().__init__()
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"kernel_size={kernel_size}: expected an odd positive integer")
        if sharpness <= 0:
            raise ValueError(f"sharpness={sharpness}: expected a positive number")
        self.kernel_size, self.sharpness = kernel_size, sharpness

    def attention(self, features: Tensor, hole: Tensor) -> Tensor:
        """Return a(p, q), (B, N, N), in float32 at least.

        Rows sum to one, columns of unusable sources are zero.
        """
        self._check(features, hole)
        features = at_least_float32(features)
        source = self._is_source(hole)  # (B, 1, N)
        num_sources = source.sum(dim=-1, keepdim=True)
        # a check on values would break the graph that torch.compile makes
        if not torch.compiler.is_compiling() and not bool(num_sources.all()):
            sample = int((num_sources.flatten() == 0).nonzero()[0])
            raise ValueError(
                f"sample {sample}: no hole-free {self.kernel_size}×{self.kernel_size} patch, "
                "expected at least one to copy from"
            )
        patches = self._patches(features)  # (B, C·k², N)
        square = patches.square().sum(dim=1)
        with autocast_to(features.device.type, None):
            distance = square.unsqueeze(2) + square.unsqueeze(1) - 2 * patches.mT @ patches
        distance = distance.clamp_min(0)  # rounding may leave it below zero
        mean = (distance * source).sum(dim=-1, keepdim=True) / num_sources
        variance = ((distance - mean).square() * source).sum(dim=-1, keepdim=True) / num_sources
        # below this the distances differ by rounding only (constant features)
        floor = torch.finfo(features.dtype).eps * (square.detach().amax() + 1e-6)
        similarity = -((distance - mean) * variance.clamp_min(floor.square()).rsqrt()).tanh()
        return (self.sharpness * similarity).masked_fill(~source, float("-inf")).softmax(dim=-1)

    def forward(self, features: Tensor, hole: Tensor) -> Tensor:
        weights = self.attention(features, hole)
        with autocast_to(features.device.type, None):
            pasted = self._patches(features).to(weights.dtype) @ weights.mT  # (B, C·k², N)
        size, margin = features.shape[2:], self.kernel_size // 2
        total = F.fold(pasted, size, self.kernel_size, padding=margin)
        overlap = F.fold(
            torch.ones_like(pasted[:1, : self.kernel_size**2]),
            size,
            self.kernel_size,
            padding=margin,
        )
        return torch.where(hole, (total / overlap).to(features.dtype), features)

    def _patches(self, features: Tensor) -> Tensor:
        """Return the patch around every position, mirrored beyond the border, (B, C·k², N)."""
        margin = self.kernel_size // 2
        padded = F.pad(features, (margin,) * 4, mode="reflect") if margin else features
        return F.unfold(padded, self.kernel_size)

    def _is_source(self, hole: Tensor) -> Tensor:
        """Return where a patch is inside the map and free of holes, (B, 1, N) bool."""
        margin = self.kernel_size // 2
        outside = F.pad(hole.to(torch.float32), (margin,) * 4, value=1.0)
        return (F.max_pool2d(outside, self.kernel_size, stride=1) == 0).flatten(2)

    def _check(self, features: Tensor, hole: Tensor) -> None:
        if features.dim() != 4 or min(features.shape[2:]) < self.kernel_size:
            raise ValueError(
                f"features of shape {tuple(features.shape)}: expected (B, C, n₁, n₂) "
                f"with both sizes at least kernel_size={self.kernel_size}"
            )
        expected = (features.shape[0], 1, *features.shape[2:])
        if tuple(hole.shape) != expected or hole.dtype != torch.bool:
            raise ValueError(
                f"hole of shape {tuple(hole.shape)} and {hole.dtype}: "
                f"expected {expected} and torch.bool"
            )
