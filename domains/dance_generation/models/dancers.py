"""The dancers by name, and what they have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, cast

from torch import Tensor

from domains.dance_generation.models.audio_dancer import AudioDancer
from domains.dance_generation.models.phase_dancer import PhaseDancer
from domains.dance_generation.models.yalta import YaltaDancer
from shared_layers import AutoConditionedLSTM

LOSS_WEIGHTS = {"loss_pose": 1.0, "loss_speed": 50.0, "loss_phase": 2.0, "loss_contrastive": 1.0}
"""Of the parts of a dancer's loss.  A change from frame to frame is a tenth of a pose or less."""


class Dancer(Protocol):
    """A network from cues to poses.

    ``hears`` says whether it needs ``spectrum`` among its cues, ``is_bounded`` whether its poses
    are scaled as Yalta et al. do.
    """

    hears: bool
    is_bounded: bool
    decoder: AutoConditionedLSTM

    def signal(self, cues: Mapping[str, Tensor], state: Any = None) -> tuple[Tensor, Any]:
        """What drives the decoder (B, T, K), and what was heard so far."""

    def losses(self, frames: Tensor, cues: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Parts of the loss by name, from scaled true frames (B, T + 1, D)."""

    def parameters(self) -> Any:
        """The weights."""


def make_dancer(
    name: str,
    size: int,
    num_steps: int,
    num_bins: int,
    num_sub_frames: int,
    sizes: Mapping[str, Any],
) -> Dancer:
    """The untrained network ``phase``, ``audio``, ``paper_cnn`` or ``paper_residual``.

    Args:
        name: as above.
        size: numbers of a pose.
        num_steps: different steps.
        num_bins: frequency bins of the spectra.
        num_sub_frames: windows of a frame's spectrum.
        sizes: ``hidden``, and the section ``paper``.
    """
    made: Any
    if name == "phase":
        made = PhaseDancer(size, num_steps, sizes["hidden"])
    elif name == "audio":
        made = AudioDancer(size, num_steps, sizes["hidden"], num_bins, num_sub_frames)
    else:
        made = YaltaDancer(size, **sizes["paper"], is_residual=name == "paper_residual")
    return cast(Dancer, made)
