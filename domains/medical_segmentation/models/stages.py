"""Resolutions of a U-Net, from the size of its patch and the spacing of its voxels.

F. Isensee et al., "nnU-Net", Nature Methods 2021, doi:10.1038/s41592-020-01008-z: an axis is halved
while it is long enough and not much coarser than the others, and a kernel has size 1 along an axis
that is more than twice as coarse as the finest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_MIN_EDGE = 4  # voxels of the coarsest map along an axis that was halved, as nnU-Net
_SAME = 2.0  # axes whose spacing differs by less count as equally fine


@dataclass(frozen=True)
class Stage:
    """One resolution: how it is reached from the finer one, and its kernel.

    Args:
        stride: per axis, 1 or 2; of the first stage 1.
        kernel: per axis, 1 or 3.
    """

    stride: tuple[int, ...]
    kernel: tuple[int, ...]


def plan_stages(
    patch: Sequence[int], spacing: Sequence[float], max_stages: int | None = None
) -> list[Stage]:
    """The stages of a U-Net for a patch, finest first.

    Args:
        patch: size per axis in voxels.
        spacing: of the same axes in mm.
        max_stages: at most so many; ``None`` = as many as the patch allows.

    Returns:
        At least one stage; the product of strides divides a patch that ``fitted_patch`` gave.

    Raises:
        ValueError: another number of spacings than of axes.
    """
    if len(patch) != len(spacing):
        raise ValueError(f"patch {tuple(patch)} and spacing {tuple(spacing)} differ in length")
    sizes, gaps = list(patch), list(spacing)
    stride = (1,) * len(sizes)
    stages = []
    while True:
        kernel = tuple(3 if gap < _SAME * min(gaps) else 1 for gap in gaps)
        stages.append(Stage(stride, kernel))
        long = [size >= 2 * _MIN_EDGE for size in sizes]
        if len(stages) == max_stages or not any(long):
            return stages
        finest = min(gap for gap, is_long in zip(gaps, long, strict=True) if is_long)
        stride = tuple(
            2 if is_long and gap < _SAME * finest else 1
            for gap, is_long in zip(gaps, long, strict=True)
        )
        sizes = [-(-size // step) for size, step in zip(sizes, stride, strict=True)]
        gaps = [gap * step for gap, step in zip(gaps, stride, strict=True)]


def total_stride(stages: Sequence[Stage]) -> tuple[int, ...]:
    """Product of all strides per axis: what an input's size must be a multiple of."""
    total = [1] * len(stages[0].stride)
    for stage in stages:
        total = [factor * step for factor, step in zip(total, stage.stride, strict=True)]
    return tuple(total)


def fitted_patch(patch: Sequence[int], stages: Sequence[Stage]) -> tuple[int, ...]:
    """``patch`` enlarged to the next multiple of all strides."""
    return tuple(
        -(-size // step) * step for size, step in zip(patch, total_stride(stages), strict=True)
    )


def widths(base: int, maximum: int, num_stages: int) -> list[int]:
    """Channels of each stage: doubled from ``base`` on, at most ``maximum``."""
    return [min(base * 2**number, maximum) for number in range(num_stages)]
