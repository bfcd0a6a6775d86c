"""Spectra, masks and fixed skies to one dataset, with the classical fills of the test skies."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import healpy
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from domains.cmb_inpainting.params import IngestParams
from domains.cmb_inpainting.science import masks as science_masks
from domains.cmb_inpainting.science.covariance import unit_vectors
from domains.cmb_inpainting.science.offsets import offset
from domains.cmb_inpainting.science.references import classical_fills
from domains.cmb_inpainting.science.skies import Masks, SkySet, Universe
from domains.cmb_inpainting.sources.collection import Collection
from domains.cmb_inpainting.sources.simulator import make_universe, simulated_collection
from domains.contract import Card
from domains.errors import DataError
from domains.files import whole_folder

UNITS = {"sky": "uK", "c_ell": "uK2", "sigma": "uK", "mask": "1 observed, 0 masked"}

SPLITS = ("train", "validate", "test")

SCORED_BEYOND_LATITUDE_DEG = 20.0
"""A measured sky is the truth only away from the Galaxy."""

_log = logging.getLogger(__name__)


def ingest(source: str, out: Path | str, **params: Mapping[str, Any]) -> Card:
    """Write the dataset folder ``out`` and return its card.

    Args:
        source: ``sample`` (simulated), ``public`` (WMAP's Galaxy and sky), or the path or URL of
            FITS masks and maps.
        out: folder that appears whole or not at all.
        **params: the domain's block; only ``ingest`` is read.

    Raises:
        DataError: a file that cannot be used, or values that do not go together.
    """
    settings = IngestParams.model_validate(params["ingest"])
    collection = collect(source, settings)
    universe = make_universe(settings)
    masks = {split: draw_split(split, settings, collection) for split in SPLITS}
    sets = {
        "validate": _simulated("validate", settings.validate_skies, universe, settings, masks),
        "test": _simulated("test", settings.test_skies, universe, settings, masks),
    }
    if collection.real:
        sets["real"] = _real(collection, universe, settings, masks["test"])
    with whole_folder(Path(out)) as folder:
        universe.save(folder)
        masks["train"].save(folder, "train")
        for split, skies in sets.items():
            skies.save(folder, split)
        card = _card(collection, masks, sets, universe)
        card.save(folder)
    for warning in card.warnings:
        _log.warning(warning)
    return card


def collect(source: str, settings: IngestParams) -> Collection:
    """What ``source`` has to offer, checked; the template of ``settings`` replaces its own."""
    if source == "sample":
        collection = simulated_collection()
    elif source == "public":
        from domains.cmb_inpainting.sources.wmap import collect_wmap

        collection = collect_wmap(settings)
    else:
        from domains.cmb_inpainting.sources.files import collect_files

        collection = collect_files(source, settings)
    if settings.template is not None:
        from domains.cmb_inpainting.sources.fits_maps import check_coordinates, read_map

        sky = read_map(Path(settings.template).expanduser())
        check_coordinates(sky, "G", "all skies and masks here")
        template = sky.ring()
        template = np.nan_to_num(template, nan=np.nanmax(template))  # unknown counts as bright
        collection.template = healpy.ud_grade(template, settings.nside)
        collection.source += f"; galactic masks from {Path(settings.template).name}"
    return collection


def draw_split(split: str, settings: IngestParams, collection: Collection) -> Masks:
    """The masks of a split; random ones come from seeds of their own in each."""
    specs = {
        "train": settings.train_masks,
        "validate": settings.validate_masks,
        "test": settings.test_masks,
    }[split]
    names: list[str] = []
    values: list[NDArray[np.bool_]] = []
    for spec in specs:
        if spec == "files":
            if not collection.masks:
                raise DataError(
                    f"cmb_inpainting: ingest.{split}_masks asks for files, but the source has no "
                    "mask (a FITS map of 0 and 1); add one, or take gal15, discs10, …"
                )
            names += collection.masks
            values += collection.masks.values()
            continue
        seed = settings.seed * len(SPLITS) + SPLITS.index(split)
        try:
            found = science_masks.draw_masks(spec, settings.nside, seed, collection.template)
        except ValueError as error:
            raise DataError(f"cmb_inpainting: ingest.{split}_masks: {error}") from error
        names += [spec] if len(found) == 1 else [f"{spec}_{i}" for i in range(len(found))]
        values += list(found)
    if len(set(names)) < len(names):
        raise DataError(
            f"cmb_inpainting: ingest.{split}_masks names a mask twice ({', '.join(names)}); "
            "write turned15x2 for two of a kind"
        )
    return Masks(names, np.stack(values))


def _simulated(
    split: str, count: int, universe: Universe, settings: IngestParams, masks: Mapping[str, Masks]
) -> SkySet:
    """The fixed simulated skies of a split, and for the test all classical fills."""
    skies = universe.draw_fixed(split, count, settings.seed)
    names = [f"{split}_{number:03d}" for number in range(count)]
    if split != "test":
        return SkySet(names, skies, masks[split])
    fills, sigma = classical_fills(skies, masks[split], universe, settings.reference, settings.seed)
    return SkySet(names, skies, masks[split], fills, sigma)


def _real(
    collection: Collection, universe: Universe, settings: IngestParams, masks: Masks
) -> SkySet:
    """Measured skies without monopole and dipole, masked, with the pixels where they are known."""
    skies = np.stack(list(collection.real.values()))
    is_known = np.asarray(np.isfinite(skies).all(axis=0))
    scored = is_known
    if collection.turn_masks:
        masks = _with_quarter_turn(masks)
        latitude = np.rad2deg(np.arcsin(unit_vectors(settings.nside)[:, 2]))
        scored = is_known & (np.abs(latitude) > SCORED_BEYOND_LATITUDE_DEG)
    # what is left of the Galaxy would spoil every fill that trusts the pixels it is given
    masks = Masks(masks.names, masks.values & scored)
    skies = np.stack([sky - offset(sky, scored, dipole=True) for sky in skies])
    known = np.nan_to_num(skies, nan=0.0).astype(np.float32)
    fills, sigma = classical_fills(known, masks, universe, settings.reference, settings.seed)
    return SkySet(list(collection.real), known, masks, fills, sigma, scored)


def _with_quarter_turn(masks: Masks) -> Masks:
    """Each mask and beside it the same turned by 90°: over the poles, where the sky is known."""
    quarter = Rotation.from_euler("x", 90, degrees=True)
    values = []
    for mask in masks.values:
        turned = science_masks.turn(1.0 - mask, quarter)
        values.append(mask & science_masks.threshold_mask(turned, 100 * (1 - mask.mean())))
    return Masks([f"{name}_and_quarter_turn" for name in masks.names], np.stack(values))


def _card(
    collection: Collection,
    masks: Mapping[str, Masks],
    sets: Mapping[str, SkySet],
    universe: Universe,
) -> Card:
    """Facts of what was made: skies, masks, pixels, cosmologies."""
    splits = {f"{split} masks": list(found.names) for split, found in masks.items()}
    splits |= {f"{split} skies": list(found.names) for split, found in sets.items()}
    test = masks["test"]
    return Card(
        title=collection.title,
        source=collection.source,
        licence=collection.licence,
        units=UNITS,
        splits=splits,
        counts={
            "nside": universe.nside,
            "pixels": test.values.shape[1],
            "cosmologies": len(universe.spectra),
            **{f"{split} skies": len(found.names) for split, found in sets.items()},
            **{
                f"masked pixels, test, {name}": int((~mask).sum())
                for name, mask in zip(test.names, test.values, strict=True)
            },
        },
        rejected=collection.rejected,
        warnings=collection.warnings,
    )
