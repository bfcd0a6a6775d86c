"""A network of two axes on a volume: slice by slice, the coarsest axis across.

Legend: B batch, C channel, K classes, X Y Z space, N slices.
"""

from __future__ import annotations

from torch import Tensor, nn


class Slicewise(nn.Module):
    """Answers of a 2-D network for each slice, stacked again.

    Args:
        network: (B, C, n, m) -> [(B, K, n, m), ...].
        axis: that is cut, 0 to 2.

    Shape:
        (B, C, X, Y, Z) -> [(B, K, X, Y, Z), ...]; the cut axis keeps its size on all resolutions
    """

    def __init__(self, network: nn.Module, axis: int) -> None:
        super().__init__()
        self.network, self.axis = network, axis

    def forward(self, x: Tensor) -> list[Tensor]:
        slices = x.movedim(2 + self.axis, 1)  # (B, N, C, n, m)
        answers = self.network(slices.flatten(0, 1))  # (B·N, K, n, m)
        return [
            answer.unflatten(0, slices.shape[:2]).movedim(1, 2 + self.axis) for answer in answers
        ]
