"""Is a map what the model was trained for?  Its spread, and what it does to pixels we know.

Legend: N pixels in RING order.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domains.cmb_inpainting.science.fills import diffusive_fill
from domains.cmb_inpainting.science.masks import disc_mask
from domains.cmb_inpainting.science.sphere import nside_of
from domains.errors import DataError

CMB_SPREAD_UK = (15.0, 250.0)
"""Outside it a map is no CMB in µK, whatever its beam."""

_HIDDEN_PERCENT = 5  # of the sky, in discs
_HIDDEN_SEED = 5
_LEAST_HIDDEN = 20  # pixels, for a number that means anything

_log = logging.getLogger(__name__)


def check_spread(observed: NDArray, where: str) -> None:
    """Warn of foregrounds, refuse other units.

    The middle half of the values counts, which a few bright pixels do not move.

    Raises:
        DataError: a spread that no CMB map in µK has.
    """
    low, high = np.percentile(observed, [25, 75])
    spread = (high - low) / 1.349
    least, most = CMB_SPREAD_UK
    if not least / 10 <= spread <= most * 10:
        raise DataError(
            f"{where}: observed pixels spread by {spread:.3g} µK, expected {least:g} to {most:g} "
            "as the CMB does; give µK (ingest.unit for files)"
        )
    if not least <= spread <= most:
        _log.warning(
            f"{where}: observed pixels spread by {spread:.3g} µK, the CMB by {least:g} to "
            f"{most:g}; foregrounds outside the mask, or a beam that the model has not seen"
        )


@dataclass(frozen=True)
class HiddenError:
    """RMSE in µK on observed pixels that were hidden to see what the fill makes of them."""

    num_pixels: int
    model: float
    diffusive: float

    def __str__(self) -> str:
        return (
            f"{self.num_pixels} observed pixels hidden for a test: RMSE {self.model:.3g} uK, "
            f"diffusive {self.diffusive:.3g} uK"
        )


def hidden_error(
    fill: Callable[[NDArray[np.float32], NDArray[np.bool_]], NDArray],
    sky: NDArray[np.float32],
    mask: NDArray[np.bool_],
) -> HiddenError | None:
    """Error of ``fill`` and of diffusion behind discs over the observed sky.

    A map with another beam, more noise, or foregrounds outside its mask can make a model err by
    more than diffusion does: it trusts a smoothness that the map has not.

    Args:
        fill: maps (S, N) and mask (N,) -> filled maps.
        sky: (N,), µK.
        mask: (N,), True where observed.

    Returns:
        ``None`` where too little is observed.
    """
    rng = np.random.default_rng(_HIDDEN_SEED)
    seen = mask & disc_mask(nside_of(len(sky)), _HIDDEN_PERCENT, rng)
    hidden = mask & ~seen
    if hidden.sum() < _LEAST_HIDDEN or not seen.any():
        return None
    given = np.where(seen, sky, 0).astype(np.float32)[None]
    errors = [
        float(np.sqrt(np.mean((np.asarray(filled)[0] - sky)[hidden] ** 2)))
        for filled in (fill(given, seen), diffusive_fill(given, seen))
    ]
    return HiddenError(int(hidden.sum()), *errors)
