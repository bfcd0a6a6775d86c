"""The dataset at rest: spectra, masks, and the fixed skies that are validated and tested on.

=========================  =====================================================================
``spectra.nc``             C_ℓ with the beam, (cosmology, ell), µK²; nside, beam, noise, seed
``masks_<split>.fits``     one column for each mask, RING, Galactic, 1 = observed
``skies_<split>.nc``       skies (sky, pixel), µK, RING; fills (mask, sky, pixel) of each method
=========================  =====================================================================

Splits are ``validate`` and ``test``; ``real`` where a measured sky is at hand.  ``train`` has masks
alone: its skies are drawn when they are needed, from seeds that no other split uses.

Legend: S skies, K masks, N pixels, L = lmax + 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import xarray as xr
from astropy.io import fits
from numpy.typing import NDArray

from domains.cmb_inpainting.science.spectra import synthesize
from domains.cmb_inpainting.science.sphere import nside_of
from domains.errors import DataError

Float = NDArray[np.float32]

FILLS = ("diffusive", "constrained_mean", "constrained_realisation")
"""Baselines stored with the skies; ``zero`` needs no storage."""

_FIXED_SEEDS = {"validate": 1 << 40, "test": 2 << 40, "realisation": 3 << 40, "predict": 4 << 40}
_COMPRESSION = {"zlib": True, "complevel": 4, "shuffle": True}


@dataclass(frozen=True)
class Universe:
    """What simulated skies are drawn from.

    Args:
        spectra: C_ℓ with the beam, (cosmologies, L), µK².
        nside: of the skies.
        fwhm_arcmin: Gaussian beam.
        noise_uk: white noise per pixel, µK.
    """

    spectra: NDArray[np.float64]
    nside: int
    fwhm_arcmin: float
    noise_uk: float

    @property
    def lmax(self) -> int:
        """Highest multipole."""
        return self.spectra.shape[1] - 1

    def draw(self, seed: int) -> Float:
        """A sky with noise, (N,), µK, RING; ``seed`` decides cosmology, sky and noise.

        Training takes seeds below 2⁴⁰; those of the fixed skies are above.
        """
        sky_seed, other = np.random.SeedSequence(seed).generate_state(2, np.uint64)
        rng = np.random.default_rng(int(other))
        spectrum = self.spectra[rng.integers(len(self.spectra))]
        sky = synthesize(spectrum, self.nside, int(sky_seed))
        return (sky + self.noise_uk * rng.standard_normal(len(sky))).astype(np.float32)

    def draw_fixed(self, split: str, count: int, seed: int, first: int = 0) -> Float:
        """Skies ``first``, ``first`` + 1, … of a split, (count, N); no training seed gives them."""
        start = _FIXED_SEEDS[split] + (seed << 20) + first
        return np.stack([self.draw(start + number) for number in range(count)])

    def save(self, folder: Path) -> None:
        """Write ``spectra.nc``."""
        data = xr.Dataset(
            {"c_ell": (("cosmology", "ell"), self.spectra, {"units": "uK2"})},
            {"ell": np.arange(self.spectra.shape[1])},
            {"nside": self.nside, "fwhm_arcmin": self.fwhm_arcmin, "noise_uk": self.noise_uk},
        )
        data.to_netcdf(folder / "spectra.nc", engine="h5netcdf")

    @staticmethod
    def load(folder: Path) -> Universe:
        """Read ``spectra.nc``."""
        with xr.open_dataset(_there(folder, "spectra.nc"), engine="h5netcdf") as data:
            return Universe(
                data["c_ell"].to_numpy().astype(np.float64),
                int(data.attrs["nside"]),
                float(data.attrs["fwhm_arcmin"]),
                float(data.attrs["noise_uk"]),
            )


@dataclass(frozen=True)
class Masks:
    """Masks with their names, ``values`` (K, N) True where observed."""

    names: Sequence[str]
    values: NDArray[np.bool_]

    def save(self, folder: Path, split: str) -> None:
        """Write ``masks_<split>.fits``."""
        columns = [
            fits.Column(name, "B", array=value.astype(np.uint8))
            for name, value in zip(self.names, self.values, strict=True)
        ]
        table = fits.BinTableHDU.from_columns(columns)
        nside = nside_of(self.values.shape[1])
        for key, value in {
            "PIXTYPE": "HEALPIX",
            "ORDERING": "RING",
            "NSIDE": nside,
            "FIRSTPIX": 0,
            "LASTPIX": 12 * nside**2 - 1,
            "INDXSCHM": "IMPLICIT",
            "COORDSYS": "G",
        }.items():
            table.header[key] = value
        table.writeto(folder / f"masks_{split}.fits")

    @staticmethod
    def load(folder: Path, split: str) -> Masks:
        """Read ``masks_<split>.fits``."""
        with fits.open(_there(folder, f"masks_{split}.fits"), memmap=False) as file:
            table = file[1].data
            return Masks(table.names, np.stack([table[name] > 0 for name in table.names]))


@dataclass(frozen=True)
class SkySet:
    """Skies of a split with the masks they are filled behind.

    Args:
        names: of the skies.
        skies: (S, N), µK, RING.
        masks: those of the split.
        fills: method -> filled skies (K, S, N), µK.
        sigma: standard deviation of the sky given what is observed, (K, N), µK; where known.
        scored: (N,) False where the sky itself is not known (real skies), so no score counts.
    """

    names: Sequence[str]
    skies: Float
    masks: Masks
    fills: Mapping[str, Float] = field(default_factory=dict)
    sigma: Float | None = None
    scored: NDArray[np.bool_] | None = None

    def save(self, folder: Path, split: str) -> None:
        """Write ``skies_<split>.nc`` and ``masks_<split>.fits``."""
        self.masks.save(folder, split)
        values: dict[str, tuple] = {"sky": (("name", "pixel"), self.skies, {"units": "uK"})}
        for method, filled in self.fills.items():
            values[method] = (("mask", "name", "pixel"), filled, {"units": "uK"})
        if self.sigma is not None:
            values["sigma"] = (("mask", "pixel"), self.sigma, {"units": "uK"})
        if self.scored is not None:
            values["scored"] = (("pixel",), self.scored.astype(np.int8), {})
        data = xr.Dataset(values, {"name": list(self.names), "mask": list(self.masks.names)})
        encoding = {name: dict(_COMPRESSION) for name in values}
        data.to_netcdf(folder / f"skies_{split}.nc", engine="h5netcdf", encoding=encoding)

    @staticmethod
    def load(folder: Path, split: str) -> SkySet:
        """Read a split."""
        masks = Masks.load(folder, split)
        with xr.open_dataset(_there(folder, f"skies_{split}.nc"), engine="h5netcdf") as data:
            get = {str(name): data[name].to_numpy() for name in data.data_vars}
            names = [str(name) for name in data["name"].to_numpy()]
        sky, sigma, scored = get.pop("sky"), get.pop("sigma", None), get.pop("scored", None)
        return SkySet(names, sky, masks, get, sigma, None if scored is None else scored > 0)


def has_split(folder: Path, split: str) -> bool:
    """Whether the dataset has skies of this split (``real`` is not always there)."""
    return (Path(folder) / f"skies_{split}.nc").is_file()


def _there(folder: Path, name: str) -> Path:
    path = Path(folder) / name
    if not path.is_file():
        raise DataError(f"cmb_inpainting: {path} is missing; run the ingest step first")
    return path
