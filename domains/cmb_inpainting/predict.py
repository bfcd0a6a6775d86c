"""A trained model and the user's map to the filled map, in FITS as it came.

Legend: N pixels, S maps, K random fills.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from domains.cmb_inpainting.params import IngestParams, PredictParams
from domains.cmb_inpainting.science.fills import constrained_realisation
from domains.cmb_inpainting.science.masks import draw_masks
from domains.cmb_inpainting.science.offsets import offset
from domains.cmb_inpainting.science.skies import Universe
from domains.cmb_inpainting.science.spectra import gaussian_beam
from domains.cmb_inpainting.science.sphere import nside_of
from domains.cmb_inpainting.sources.fits_maps import SkyMap, check_coordinates, read_map, read_mask
from domains.cmb_inpainting.sources.fits_output import check_output, write_filled
from domains.cmb_inpainting.sources.plausibility import check_spread, hidden_error
from domains.errors import DataError

_BATCH = 4  # random fills at a time

_log = logging.getLogger(__name__)


class SkyModel(Protocol):
    """What a trained task of this domain can do."""

    config: dict[str, Any]

    def fill(self, maps: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray:
        """Filled maps (S, N), µK, RING, of maps (S, N) behind a mask (N,), True = observed.

        What ``maps`` has behind the mask is not read.
        """


def predict(
    task: SkyModel, input: Path | str, output: Path | str, **params: Mapping[str, Any]
) -> None:
    """Write the map ``input`` with its masked pixels filled to ``output``.

    Some observed pixels are hidden first to see what the model makes of them: the two errors go
    to the log and the header, and a warning where diffusion would have done better.

    Masked is what is UNSEEN or NaN in the map, and what ``evaluate.predict.mask`` says.  Observed
    pixels, header, ordering, unit and column names stay as they are.  With
    ``evaluate.predict.realisations`` the table REALISATIONS holds that many random fills, and from
    two on the table SIGMA their standard deviation.

    Args:
        task: a trained task.
        input: FITS map at the nside that the model was trained at.
        output: FITS, gzipped if it ends in .gz; it appears whole or not at all.
        **params: the domain's block; ``ingest`` and ``evaluate.predict`` are read.

    Raises:
        DataError: the map or mask cannot be used, or nothing is masked.
    """
    output = Path(output)
    check_output(output)
    settings = IngestParams.model_validate(params["ingest"])
    wanted = PredictParams.model_validate(params["evaluate"]["predict"])
    sky = read_map(Path(input), wanted.column)
    if sky.nside != settings.nside:
        raise DataError(
            f"{input}: nside = {sky.nside}, but the model was trained at {settings.nside}; train "
            f"one with ingest.nside: {sky.nside}, or change the map with healpy.ud_grade"
        )
    values, scale = sky.microkelvin(settings.unit)
    mask, assumed = _mask(sky, values, wanted)
    for warning in [*sky.warnings, *assumed]:
        _log.warning(warning)
    base = _offset(values, mask, wanted)
    centred = np.where(mask, values - base, 0.0).astype(np.float32)
    check_spread(centred[mask], str(input))
    history = [f"convoy cmb_inpainting: {(~mask).sum()} masked pixels of {sky.column} filled"]
    history += _hidden_test(task, centred, mask, str(input), settings)
    filled = np.asarray(task.fill(centred[None], mask))[0] + base
    draws = []
    if wanted.realisations:
        from domains.cmb_inpainting.sources.simulator import make_universe

        draws = realisations(task, centred, mask, make_universe(settings), wanted)
    _log.info("%s: %d of %d pixels filled", input, (~mask).sum(), len(mask))
    write_filled(
        output,
        sky,
        scale,
        filled,
        ~mask,
        _tables([np.where(mask, values, draw + base) for draw in draws], mask),
        history,
    )


def realisations(
    task: SkyModel,
    sky: NDArray[np.float32],
    mask: NDArray[np.bool_],
    universe: Universe,
    wanted: PredictParams,
) -> list[NDArray[np.float64]]:
    """K random skies (N,) in µK that agree with the observed pixels of ``sky``."""
    draws: list[NDArray[np.float64]] = []
    for start in range(0, wanted.realisations, _BATCH):
        count = min(_BATCH, wanted.realisations - start)
        simulated = universe.draw_fixed("predict", count, wanted.seed, start)

        def fill(maps: NDArray) -> NDArray:
            return task.fill(maps.astype(np.float32), mask)

        draws += list(constrained_realisation(sky[None], simulated, fill, mask))
    return draws


def infer(task: SkyModel, arrays: Mapping[str, NDArray]) -> dict[str, NDArray[np.float32]]:
    """``filled`` (N,) in µK, RING, for one map; observed pixels are those of the input.

    Args:
        task: a trained task.
        arrays: ``map`` (N,) in µK, RING, without monopole; ``mask`` (N,), 1 = observed.

    Raises:
        DataError: an array is missing, of another shape, not finite, or in other units.
    """
    if missing := [key for key in ("map", "mask") if key not in arrays]:
        raise DataError(
            f"cmb_inpainting: {', '.join(missing)} missing, expected map (N,) in µK and mask (N,), "
            "both in RING order"
        )
    sky, mask = np.asarray(arrays["map"], dtype=np.float32), np.asarray(arrays["mask"]) > 0.5
    if sky.ndim != 1 or sky.shape != mask.shape:
        raise DataError(
            f"cmb_inpainting: map {sky.shape} and mask {mask.shape}, expected one map (12·nside²,) "
            "and a mask as long"
        )
    try:
        nside_of(len(sky))
    except ValueError as error:
        raise DataError(f"cmb_inpainting: {error}") from error
    if not mask.any() or not np.isfinite(sky[mask]).all() or sky[mask].min() < -1e29:
        raise DataError(
            "cmb_inpainting: map is UNSEEN or not finite where the mask says observed, or nothing "
            "is observed; set mask to 0 there"
        )
    check_spread(sky[mask], "map")
    filled = np.asarray(task.fill(np.where(mask, sky, 0.0).astype(np.float32)[None], mask))[0]
    return {"filled": np.where(mask, sky, filled).astype(np.float32)}


def example_input(task: SkyModel) -> dict[str, NDArray]:
    """A simple Gaussian sky behind the simulated Galaxy, as ``infer`` takes it."""
    nside = task.config["nside"]
    ell = np.arange(3 * nside)
    fwhm_arcmin = 7040 / nside  # two pixels
    beam = gaussian_beam(fwhm_arcmin, ell[-1])
    spectrum = np.zeros(len(ell))
    spectrum[2:] = 2000 * np.pi / (ell[2:] * (ell[2:] + 1)) * beam[2:] ** 2  # D_ℓ = 1000 µK²
    sky = Universe(spectrum[None], nside, fwhm_arcmin, noise_uk=1.0).draw(0)
    return {"map": sky, "mask": draw_masks("gal15", nside, 0)[0].astype(np.uint8)}


def _mask(
    sky: SkyMap, values: NDArray, wanted: PredictParams
) -> tuple[NDArray[np.bool_], list[str]]:
    """Where the map is observed, (N,), RING."""
    mask = np.isfinite(values)
    assumed: list[str] = []
    if wanted.mask is not None:
        path = Path(wanted.mask).expanduser()
        other, is_observed = read_mask(path, wanted.mask_column)
        if other.nside != sky.nside:
            raise DataError(
                f"{path}: column {other.column} has nside = {other.nside}, expected {sky.nside} as "
                "the map has; change it with healpy.ud_grade"
            )
        check_coordinates(other, sky.coordinates, "the map has")
        mask &= is_observed
        assumed = other.warnings
    if mask.all():
        raise DataError(
            f"{sky.path}: nothing to fill, no pixel of {sky.column} is UNSEEN or NaN; name a mask "
            "in evaluate.predict.mask"
        )
    if not mask.any():
        raise DataError(f"{sky.path}: map and mask leave no pixel observed, nothing to fill from")
    return mask, assumed


def _offset(values: NDArray, mask: NDArray[np.bool_], wanted: PredictParams) -> NDArray[np.float64]:
    if wanted.offset == "none":
        return np.zeros(len(values))
    return offset(values, mask, dipole=wanted.offset == "dipole")


def _hidden_test(
    task: SkyModel, sky: NDArray, mask: NDArray[np.bool_], where: str, settings: IngestParams
) -> list[str]:
    """What the model makes of observed pixels, for the header; a warning where it is worse."""
    found = hidden_error(task.fill, sky, mask)
    if found is None:
        return []
    _log.info(f"{where}: {found}")
    if found.model > found.diffusive:
        _log.warning(
            f"{where}: {found}; the model was trained for a beam of {settings.fwhm_arcmin:g}′ and "
            f"noise of {settings.noise_uk:g} µK: smooth the map to that beam, widen the mask, or "
            "train with the map's own (ingest.fwhm_arcmin, ingest.noise_uk)"
        )
    return [str(found)]


def _tables(draws: list[NDArray], mask: NDArray[np.bool_]) -> dict[str, dict[str, NDArray]]:
    """Columns of the tables REALISATIONS and SIGMA, µK, RING."""
    if not draws:
        return {}
    tables = {"REALISATIONS": {f"REALISATION_{k}": draw for k, draw in enumerate(draws, 1)}}
    if len(draws) > 1:
        tables["SIGMA"] = {"SIGMA": np.where(mask, 0.0, np.std(draws, axis=0, ddof=1))}
    return tables
