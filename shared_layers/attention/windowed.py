"""Self-attention inside (shifted) windows with a relative position bias.

Liu, Lin, Cao, Hu, Wei, Zhang, Lin, Guo, "Swin Transformer: Hierarchical Vision Transformer using
Shifted Windows", 2021, arXiv:2103.14030; for volumes: Liu et al., "Video Swin Transformer", 2021,
arXiv:2106.13230:

    A = softmax(q kᵀ/√d + b[Δ]),   q, k in the same window, b one learned value per offset and head

Differs from the papers: any size is taken (padded at the end of an axis, and padding is never
attended to, whereas the official code lets zeros take part); an axis shorter than the window is one
window and is not shifted; an axis can be periodic (the longitude of a globe), and then the shifted
windows really join its two ends.
"""

# B batch, C channel, H head, D channel of one head, W windows, T positions in a window,
# S number of axes, n size of an axis, w size of the window

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from shared_layers.conv.arguments import check_divisible, check_feature_map
from shared_layers.conv.padding import per_axis


class WindowedAttention(nn.Module):
    """Multi-head self-attention inside the windows of a map, optionally shifted by half a window.

    Args:
        dim: number of channels C.
        num_heads: number of heads; divides dim.
        window_size: positions per window, one integer or one per axis.
        shift: whether the windows are shifted by half their size on each axis, so that a stack of
            plain and shifted layers joins neighbouring windows.
        spatial_dims: number of spatial axes, 1, 2 or 3.
        periodic: whether an axis wraps, one value or one per axis; its size must then be a multiple
            of the window.
        qkv_bias: whether query, key and value have a bias.

    Shape:
        - input: (B, C, n₁, …, n_S)
        - output: the same

    Raises:
        ValueError: dim not divisible by num_heads, a wrong count of window sizes, an input of
            another rank or width, or a periodic axis that is not a multiple of the window.

    Example:
        >>> WindowedAttention(32, 4, (2, 7, 7), shift=True, spatial_dims=3)(
        ...     torch.zeros(1, 32, 3, 16, 9)
        ... ).shape
        torch.Size([1, 32, 3, 16, 9])
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        window_size: int | Sequence[int],
        *,
        shift: bool = False,
        spatial_dims: int = 2,
        periodic: bool | Sequence[bool] = False,
        qkv_bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if spatial_dims not in (1, 2, 3):
            raise ValueError(f"spatial_dims={spatial_dims}: expected 1, 2 or 3")
        check_divisible("dim", dim, "num_heads", num_heads)
        wraps = (periodic,) * spatial_dims if isinstance(periodic, bool) else tuple(periodic)
        if len(wraps) != spatial_dims:
            raise ValueError(f"periodic={periodic}: expected a bool or {spatial_dims} of them")
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        self.dim, self.num_heads, self.spatial_dims = dim, num_heads, spatial_dims
        self.window_size = per_axis(window_size, spatial_dims, "window_size")
        self.shift, self.periodic = shift, wraps
        self.qkv = nn.Linear(dim, 3 * dim, bias=qkv_bias, **factory)
        self.projection = nn.Linear(dim, dim, **factory)
        num_offsets = math.prod(2 * w - 1 for w in self.window_size)
        self.position_bias = nn.Parameter(torch.empty(num_heads, num_offsets, **factory))
        nn.init.trunc_normal_(self.position_bias, std=0.02)  # as the paper's code

    def forward(self, x: Tensor) -> Tensor:
        check_feature_map(x, self.dim, self.spatial_dims, self.projection.weight.dtype)
        sizes = tuple(x.shape[2:])
        window = tuple(min(w, n) for w, n in zip(self.window_size, sizes, strict=True))
        self._check_periodic(sizes, window)
        padded = tuple(-(-n // w) * w for n, w in zip(sizes, window, strict=True))
        shifts = [w // 2 if self.shift and w < n else 0 for n, w in zip(sizes, window, strict=True)]
        axes = tuple(range(1, self.spatial_dims + 1))

        x = x.movedim(1, -1)  # (B, n₁, …, C)
        after = [p - n for p, n in zip(padded, sizes, strict=True)]
        x = F.pad(x, [0, 0] + [side for a in reversed(after) for side in (0, a)])
        x = torch.roll(x, [-s for s in shifts], axes)
        x = self._attend(partition_windows(x, window), self._bias(sizes, padded, window, shifts))
        x = torch.roll(merge_windows(x, window, padded), shifts, axes)
        for axis, size in zip(axes, sizes, strict=True):
            x = x.narrow(axis, 0, size)
        return x.movedim(-1, 1)

    def _attend(self, x: Tensor, bias: Tensor) -> Tensor:
        qkv = self.qkv(x).unflatten(-1, (3, self.num_heads, -1))  # (B, W, T, 3, H, D)
        query, key, value = qkv.permute(3, 0, 1, 4, 2, 5).unbind(0)  # (B, W, H, T, D)
        out = F.scaled_dot_product_attention(query, key, value, attn_mask=bias.to(query.dtype))
        return self.projection(out.transpose(2, 3).flatten(3))  # (B, W, T, C)

    def _bias(
        self, sizes: Sequence[int], padded: Sequence[int], window: Sequence[int], shifts: list[int]
    ) -> Tensor:
        """Return position bias plus −inf where two positions may not meet: (W or 1, H, T, T)."""
        bias = self.position_bias[:, self._offset_index(window)].unsqueeze(0)  # (1, H, T, T)
        if tuple(sizes) == tuple(padded) and not any(shifts):
            return bias
        labels = self._region_labels(sizes, padded, shifts).unsqueeze(0).unsqueeze(-1)
        labels = partition_windows(labels, window).squeeze(0).squeeze(-1)  # (W, T)
        apart = labels.unsqueeze(1) != labels.unsqueeze(2)  # (W, T, T)
        return bias.masked_fill(apart.unsqueeze(1), float("-inf"))

    def _offset_index(self, window: Sequence[int]) -> Tensor:
        """Return for each pair (query, key) of a window the column of `position_bias`, (T, T)."""
        index = torch.zeros(1, 1, dtype=torch.long, device=self.position_bias.device)
        for size, full in zip(window, self.window_size, strict=True):
            steps = torch.arange(size, device=index.device)
            offset = steps.unsqueeze(1) - steps + full - 1  # 0 … 2·full − 2
            index = index[:, None, :, None] * (2 * full - 1) + offset[None, :, None, :]
            index = index.flatten(2, 3).flatten(0, 1)
        return index

    def _region_labels(
        self, sizes: Sequence[int], padded: Sequence[int], shifts: list[int]
    ) -> Tensor:
        """Return a map of numbers after the roll; positions attend to each other if equal.

        Per axis: 0 the ordinary part, 1 what was rolled in from the other end, 2 padding.
        """
        labels = torch.zeros((), dtype=torch.long, device=self.position_bias.device)
        for size, full, shift, wraps in zip(sizes, padded, shifts, self.periodic, strict=True):
            place = torch.arange(full, device=labels.device) + shift
            label = ((place >= full) & (not wraps)).long()
            label[place % full >= size] = 2
            labels = labels.unsqueeze(-1) * 3 + label
        return labels

    def _check_periodic(self, sizes: Sequence[int], window: Sequence[int]) -> None:
        for axis, (size, w, wraps) in enumerate(zip(sizes, window, self.periodic, strict=True)):
            if wraps and size % w:
                raise ValueError(
                    f"periodic axis {axis} of size {size}: expected a multiple of the window {w}"
                )


def partition_windows(x: Tensor, window: Sequence[int]) -> Tensor:
    """Cut a map (B, n₁, …, n_S, C) into its windows (B, W, T, C)."""
    num_axes = len(window)
    for axis, w in enumerate(window):
        x = x.unflatten(1 + 2 * axis, (-1, w))  # (B, n₁/w₁, w₁, n₂/w₂, w₂, …, C)
    order = [1 + 2 * a for a in range(num_axes)] + [2 + 2 * a for a in range(num_axes)]
    x = x.permute(0, *order, 2 * num_axes + 1)
    return x.flatten(1 + num_axes, 2 * num_axes).flatten(1, num_axes)


def merge_windows(x: Tensor, window: Sequence[int], sizes: Sequence[int]) -> Tensor:
    """Put windows (B, W, T, C) back into their map (B, n₁, …, n_S, C)."""
    num_axes = len(window)
    counts = [n // w for n, w in zip(sizes, window, strict=True)]
    x = x.unflatten(2, tuple(window)).unflatten(1, counts)
    order = [side for a in range(num_axes) for side in (1 + a, 1 + num_axes + a)]
    x = x.permute(0, *order, 2 * num_axes + 1)
    for axis in range(num_axes):
        x = x.flatten(1 + axis, 2 + axis)
    return x
