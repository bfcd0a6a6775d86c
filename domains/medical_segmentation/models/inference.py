"""A whole volume through a network that was trained on patches.

Windows overlap and are blended by a Gaussian (nnU-Net), on MONAI's sliding window.

Legend: C channel; K classes or regions; X Y Z space.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

_WHOLE = 1.5
"""An axis of at most so many patches is taken whole: one window costs less than two."""


def window_size(
    sizes: Sequence[int], patch: Sequence[int], strides: Sequence[int]
) -> tuple[int, ...]:
    """Edges of the windows for a volume: the patch, or all of an axis that is not much longer."""
    whole = [-(-size // step) * step for size, step in zip(sizes, strides, strict=True)]
    return tuple(
        full if edge < full <= _WHOLE * edge else edge
        for full, edge in zip(whole, patch, strict=True)
    )


@torch.no_grad()
def probabilities(
    network: Callable[[Tensor], Sequence[Tensor]],
    image: Tensor,
    patch: Sequence[int],
    strides: Sequence[int],
    is_regions: bool,
    overlap: float = 0.5,
) -> Tensor:
    """Probability of each class, or of each region, at each voxel.

    Args:
        network: (B, C, *patch) -> logits, finest first.
        image: (C, X, Y, Z), any size; a volume smaller than a window is continued by its border.
        patch: edges of the windows in voxels.
        strides: what a window's edges must be multiples of.
        is_regions: sigmoid of each channel instead of a softmax over them.
        overlap: share of a window that its neighbour covers too.

    Returns:
        (K, X, Y, Z), float32.
    """
    from monai.inferers.utils import sliding_window_inference

    def probability(windows: Tensor) -> Tensor:
        logits = network(windows)[0].float()
        return logits.sigmoid() if is_regions else logits.softmax(1)

    sizes = image.shape[1:]
    window = window_size(sizes, patch, strides)
    if all(size <= edge for size, edge in zip(sizes, window, strict=True)):
        extra = [edge - size for size, edge in zip(sizes, window, strict=True)]
        sides = [side for more in reversed(extra) for side in (more // 2, more - more // 2)]
        padded = torch.nn.functional.pad(image[None], sides, mode="replicate")
        answer = probability(padded)[0]
        begins = [more // 2 for more in extra]
        for axis, (begin, size) in enumerate(zip(begins, sizes, strict=True), start=1):
            answer = answer.narrow(axis, begin, size)
        return answer
    blended = sliding_window_inference(
        image[None],
        window,
        sw_batch_size=1,
        predictor=probability,
        overlap=overlap,
        mode="gaussian",
        padding_mode="replicate",
    )
    assert isinstance(blended, Tensor)
    return blended[0]
