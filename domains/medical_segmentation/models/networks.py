"""The networks by name, each for the patch and the spacing of a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import nn

from domains.medical_segmentation.models import peers
from domains.medical_segmentation.models.reversible_unet import ReversibleUNet
from domains.medical_segmentation.models.slices import Slicewise
from domains.medical_segmentation.models.stages import (
    Stage,
    fitted_patch,
    plan_stages,
    total_stride,
)
from domains.medical_segmentation.models.swtr_unet import SWTRUNet
from domains.medical_segmentation.models.xlstm_unet import XLSTMUNet


def make_network(
    model: Mapping[str, Any], in_channels: int, num_outputs: int, plan: Mapping[str, Any]
) -> tuple[nn.Module, tuple[int, ...], tuple[int, ...]]:
    """A network not yet trained, the patch that fits it, and what sizes must be a multiple of.

    Args:
        model: section ``model``.
        in_channels: channels of an image.
        num_outputs: classes with background, or regions.
        plan: ``patch`` and ``spacing_mm``, three numbers each.

    Raises:
        ValueError: sizes that do not go together, or a patch that is too small to be halved.
    """
    patch, spacing = list(plan["patch"]), list(plan["spacing_mm"])
    if model["dims"] == 3:
        stages = plan_stages(patch, spacing, model["max_stages"])
        network = _by_name(model, in_channels, num_outputs, stages, patch)
        return network, fitted_patch(patch, stages), total_stride(stages)
    cut = _coarsest(spacing)
    rest = [axis for axis in range(3) if axis != cut]
    stages = plan_stages(
        [patch[axis] for axis in rest], [spacing[axis] for axis in rest], model["max_stages"]
    )
    network = Slicewise(_by_name(model, in_channels, num_outputs, stages, patch), cut)
    strides = list(total_stride(stages))
    strides.insert(cut, 1)
    fitted = list(fitted_patch([patch[axis] for axis in rest], stages))
    fitted.insert(cut, patch[cut])
    return network, tuple(fitted), tuple(strides)


def _by_name(
    model: Mapping[str, Any],
    in_channels: int,
    num_outputs: int,
    stages: Sequence[Stage],
    patch: Sequence[int],
) -> nn.Module:
    if len(stages) < 2:
        raise ValueError(f"patch {tuple(patch)}: expected 8 voxels or more along an axis")
    base, most = model["base_channels"], model["max_channels"]
    return {
        "xlstm_unet": lambda: XLSTMUNet(
            in_channels,
            num_outputs,
            stages,
            base_channels=base,
            max_channels=most,
            **model["xlstm"],
        ),
        "reversible": lambda: ReversibleUNet(
            in_channels,
            num_outputs,
            stages,
            base_channels=base,
            max_channels=most,
            **model["reversible"],
        ),
        "swtr": lambda: SWTRUNet(
            in_channels, num_outputs, stages, base_channels=base, **model["swtr"]
        ),
        "monai_unet": lambda: peers.monai_unet(in_channels, num_outputs, stages, base, most),
        "segresnet": lambda: peers.segresnet(in_channels, num_outputs, stages, base),
        "swinunetr": lambda: peers.swinunetr(in_channels, num_outputs, stages, base),
    }[model["network"]]()


def _coarsest(spacing: Sequence[float]) -> int:
    """The axis with the thickest slices, the last one of equals."""
    return 2 - int(np.argmax(spacing[::-1]))
