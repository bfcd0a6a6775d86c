"""What every score stands beside: the classical fills of fixed skies behind fixed masks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from domains.cmb_inpainting.science.covariance import Covariance
from domains.cmb_inpainting.science.fills import (
    MAX_LOCAL_PIXELS,
    ConstrainedMean,
    DiffusiveFill,
    constrained_realisation,
    observed,
)
from domains.cmb_inpainting.science.skies import Masks, Universe

EXACT_UP_TO_NSIDE = 32
"""Beyond it the matrix of all observed pixels is larger than a workstation's memory."""


def classical_fills(
    skies: NDArray, masks: Masks, universe: Universe, reference: str, seed: int
) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.float32] | None]:
    """Fills (mask, sky, pixel) by method and the optimum's standard deviation (mask, pixel).

    One factorisation for each mask serves all skies and all random skies.

    Args:
        skies: (S, N), µK.
        masks: to fill behind.
        universe: what the skies are drawn from.
        reference: of the constrained mean: ``exact``, ``local``, ``none``, or ``auto``.
        seed: of the random skies.
    """
    if reference == "auto":
        reference = "exact" if universe.nside <= EXACT_UP_TO_NSIDE else "local"
    fills: dict[str, list[NDArray]] = {"diffusive": []}
    sigmas: list[NDArray] = []
    covariance = Covariance(universe.spectra.mean(axis=0), universe.noise_uk)
    for number, mask in enumerate(masks.values):
        fills["diffusive"].append(DiffusiveFill(mask)(skies))
        if reference == "none":
            continue
        optimum = ConstrainedMean(
            mask, covariance, MAX_LOCAL_PIXELS if reference == "local" else None
        )
        mean = optimum(skies)
        fills.setdefault("constrained_mean", []).append(mean)
        simulated = universe.draw_fixed("realisation", len(skies), 1000 * seed + number)
        spread = constrained_realisation(np.zeros_like(simulated), simulated, optimum, mask)
        drawn = np.where(observed(mask), mean, mean + spread)
        fills.setdefault("constrained_realisation", []).append(drawn)
        if reference == "exact":
            sigmas.append(optimum.sigma())
    arrays = {method: np.stack(found).astype(np.float32) for method, found in fills.items()}
    return arrays, np.stack(sigmas).astype(np.float32) if sigmas else None
