"""Slice-by-slice convolution: messages travel through the map.

X. Pan, J. Shi, P. Luo, X. Wang, X. Tang, "Spatial As Deep: Spatial CNN for Traffic Scene
Understanding" (2017, arXiv:1712.06080). Downwards, with rows x_i,

    x'_0 = x_0,   x'_i = x_i + f(K * x'_{i−1}),   f = ReLU,

and in the same way upwards, to the right and to the left. Differs: the directions and their order
are an argument, and gradients need no in-place trick.
"""

# B batch, C channels, H height, W width

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .arguments import check_feature_map, check_positive
from .padded import PaddedConv1d

# axis the messages travel along, and whether they travel towards larger indices
_COURSES = {"down": (2, True), "up": (2, False), "right": (3, True), "left": (3, False)}


class SpatialCNN(nn.Module):
    """Pass messages through a map, row by row and column by column.

    A row receives from all rows before it in one pass, at the cost of H (or W) small convolutions
    in sequence.

    Args:
        channels: channels of the map.
        kernel_size: odd width of the message kernel, across the direction of travel.
        directions: passes in order, each of "down", "up", "right", "left".
        padding_mode: zeros, circular, replicate or reflect at the ends of a row or column.

    Shape:
        (B, channels, H, W) → (B, channels, H, W)

    Raises:
        ValueError: even kernel, no or unknown directions; input of another rank, channel count or
            type.

    Example:
        >>> SpatialCNN(4, kernel_size=3, directions=("down", "up"))(torch.zeros(1, 4, 6, 7)).shape
        torch.Size([1, 4, 6, 7])
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int = 9,
        *,
        directions: Sequence[str] = ("down", "up", "right", "left"),
        padding_mode: str = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(channels=channels)
        self.directions = tuple(directions)
        if not self.directions or any(d not in _COURSES for d in self.directions):
            raise ValueError(
                f"directions={directions!r}: expected one or more of {', '.join(_COURSES)}"
            )
        self.channels = channels
        self.messages = nn.ModuleList(
            PaddedConv1d(
                channels,
                channels,
                kernel_size,
                padding_mode=padding_mode,
                bias=False,
                device=device,
                dtype=dtype,
            )
            for _ in self.directions
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the kernels small: a message passes H or W times, and must not grow on its way."""
        for message in self.messages:
            weight = message.get_parameter("weight")
            bound = math.sqrt(1 / (5 * weight[0].numel()))
            nn.init.uniform_(weight, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        check_feature_map(x, self.channels, 2, self.messages[0].get_parameter("weight").dtype)
        for direction, message in zip(self.directions, self.messages, strict=True):
            axis, is_forward = _COURSES[direction]
            slices = list(x.unbind(axis))  # H × (B, C, W), or W × (B, C, H)
            order = range(len(slices)) if is_forward else range(len(slices) - 1, -1, -1)
            last: Tensor | None = None
            for index in order:
                if last is not None:
                    slices[index] = slices[index] + F.relu(message(last))
                last = slices[index]
            x = torch.stack(slices, axis)
        return x
