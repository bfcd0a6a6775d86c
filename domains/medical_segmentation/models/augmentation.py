"""Random changes of a patch: turned, scaled, bent; other contrast, brightness and noise.

Ranges are nnU-Net's (F. Isensee et al. 2021, doi:10.1038/s41592-020-01008-z), narrower where a
short training on small crops gains nothing from them.  A patch is turned in mm, which shears no
thick slices (nnU-Net turns in voxels, and thick slices in their plane alone).  The bend is our own:
a smooth displacement field from few random numbers, as wide in mm along all axes.

Legend: C channel; X Y Z patch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

_MAX_ANGLE = math.radians(15)
_MIN_SCALE, _MAX_SCALE = 0.85, 1.2
_BEND = 1.5  # voxels of the finest axis, standard deviation of a knot's displacement
_KNOT_GAP = 12  # voxels between the knots of the bend


def patch_places(
    patch: Sequence[int],
    spacing_mm: Sequence[float],
    centre: Tensor,
    spatial: bool,
    random: torch.Generator,
) -> Tensor:
    """Where a patch's voxels lie in a volume, (X, Y, Z, 3), in voxels.

    Args:
        patch: edges X, Y, Z.
        spacing_mm: edges of a voxel along X, Y, Z.
        centre: (3,) place in the volume of the middle of the patch.
        spatial: whether the patch is turned, scaled and bent; else it lies on the voxels.
        random: source of chance.
    """
    middle = torch.tensor([(edge - 1) / 2 for edge in patch])
    axes = [torch.arange(edge) - half for edge, half in zip(patch, middle.tolist(), strict=True)]
    place = torch.stack(torch.meshgrid(*axes, indexing="ij"), -1)  # (X, Y, Z, 3)
    if not spatial:
        return place + (centre - middle).round() + middle
    scale = _uniform(_MIN_SCALE, _MAX_SCALE, random)
    spacing = torch.tensor(spacing_mm)
    turn = _rotation(random) * (spacing[:, None] / spacing)  # voxels to mm, turned, and back
    return place @ (turn / scale) + _bend(patch, random) * (spacing.min() / spacing) + centre


def sampled_image(image: Tensor, place: Tensor) -> Tensor:
    """``image`` (C, X, Y, Z) at ``place`` (x, y, z, 3), trilinear, (C, x, y, z).

    Beyond its border a volume goes on as it ends, as at inference.
    """
    last = torch.tensor([max(size - 1, 1) for size in image.shape[1:]])
    grid = (2 * place / last - 1).flip(-1)  # −1 … 1 and the last axis first, as grid_sample wants
    return F.grid_sample(
        image[None], grid[None], mode="bilinear", padding_mode="border", align_corners=True
    )[0]


def sampled_label(label: Tensor, place: Tensor) -> Tensor:
    """``label`` (X, Y, Z) at ``place`` (x, y, z, 3), nearest voxel, (x, y, z) int64."""
    last = torch.tensor(label.shape) - 1
    x, y, z = torch.minimum(place.round().long().clamp(min=0), last).unbind(-1)
    return label[x, y, z].long()


def change_intensity(image: Tensor, random: torch.Generator) -> Tensor:
    """``image`` (C, X, Y, Z), normalised, with another contrast and brightness, and noise."""
    shape = (len(image), 1, 1, 1)
    gain = torch.empty(shape).uniform_(0.75, 1.25, generator=random)
    shift = torch.empty(shape).uniform_(-0.2, 0.2, generator=random)
    spread = _uniform(0.0, 0.15, random)
    return image * gain + shift + spread * torch.randn(image.shape, generator=random)


def _rotation(random: torch.Generator) -> Tensor:
    """(3, 3) turn by up to 15° about each axis, of rows (x, y, z)."""
    turn = torch.eye(3)
    for axis in range(3):
        angle = _uniform(-_MAX_ANGLE, _MAX_ANGLE, random)
        one, two = (axis + 1) % 3, (axis + 2) % 3
        part = torch.eye(3)
        part[one, one] = part[two, two] = math.cos(angle)
        part[one, two], part[two, one] = -math.sin(angle), math.sin(angle)
        turn = turn @ part
    return turn


def _bend(patch: Sequence[int], random: torch.Generator) -> Tensor:
    """(X, Y, Z, 3) smooth displacement in voxels of the finest axis."""
    knots = [2 + edge // _KNOT_GAP for edge in patch]
    field = _BEND * torch.randn((1, 3, *knots), generator=random)
    smooth = F.interpolate(field, size=tuple(patch), mode="trilinear", align_corners=True)
    return smooth[0].movedim(0, -1)


def _uniform(low: float, high: float, random: torch.Generator) -> float:
    return low + (high - low) * float(torch.rand((), generator=random))
