"""What a source hands to ``ingest``: foreground template, masks, real skies, and where from."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass
class Collection:
    """What is not simulated: everything in RING order.

    Args:
        title: one line, says whether the data are simulated.
        source: where they come from.
        licence: of the raw data.
        template: foreground map (N,) for galactic masks; ``None`` = the simulated one.
        masks: name -> mask (N,), True where observed, of the user's files.
        real: name -> measured sky (N,), µK, NaN where unknown.
        turn_masks: whether the real sky is masked where it is known best, by the test masks
            turned away from the Galaxy, and scored away from it.
        rejected: reason -> number of files refused.
        warnings: one sentence each.
    """

    title: str
    source: str
    licence: str
    template: NDArray[np.float64] | None = None
    masks: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    real: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    turn_masks: bool = False
    rejected: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
