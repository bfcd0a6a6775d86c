"""Parameters, a tiny dataset and files that the tests of weather share."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from ruamel.yaml import YAML

from domains.weather.params import FilesParams
from domains.weather.science.calendars import TimeAxis
from domains.weather.science.climatology import fit_climatology
from domains.weather.science.dataset import frame_dataset, open_dataset, write_fields, write_frames
from domains.weather.science.grid import Grid

ROOT = Path(__file__).parents[3]


def _block() -> dict:
    """The domain's block of params.yaml."""
    return YAML(typ="safe").load(ROOT / "params.yaml")["weather"]


@pytest.fixture(scope="session")
def block() -> dict:
    """The block as it stands; do not change it."""
    return _block()


@pytest.fixture
def params(block: dict) -> dict:
    """The four sections of the block, free to be changed."""
    return copy.deepcopy(
        {key: block[key] for key in ("ingest", "model", "train", "evaluate") if key in block}
    )


def make_waves(num_times: int, latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """(T, 2, H, W) z500 and t850: waves of zonal numbers 3 and 5 that travel east."""
    hours = 6.0 * np.arange(num_times)[:, None, None]
    turn = np.deg2rad(longitude)[None, None] - 2 * np.pi * hours / 240
    shape = np.cos(np.deg2rad(latitude))[None, :, None] ** 2
    z500 = 54_000 + 1_500 * shape * np.cos(3 * turn) + 3_000 * shape
    t850 = 270 + 6 * shape * np.sin(5 * turn) + 20 * shape
    return np.stack([z500, t850], axis=1).astype(np.float32)


def make_dataset(
    folder: Path, num_times: int = 80, height: int = 8, width: int = 16, *, is_global: bool = True
) -> Path:
    """A dataset at rest of travelling waves: 48 frames train, 12 validate, 16 test, gaps of two."""
    latitude = np.linspace(78.75, -78.75, height) if is_global else np.linspace(60, 45, height)
    longitude = np.arange(width) * (360 / width if is_global else 1.0)
    split = np.full(num_times, -1, np.int8)
    first, second = int(0.6 * num_times), int(0.775 * num_times)
    split[:first], split[first + 2 : second], split[second + 2 :] = 0, 1, 2
    times = TimeAxis(360 * np.arange(num_times, dtype=np.int64), "noleap")
    attributes = {
        "title": "travelling waves, made for a test",
        "channels": ["z500", "t850"],
        "units": ["m2 s-2", "K"],
        "step_h": 6.0,
        "is_zonally_symmetric": is_global,
        "is_simulated": True,
    }
    grid = Grid(latitude, longitude)
    valid = np.ones((2, height, width), bool)
    store = folder / "fields.zarr"
    write_frames(store, frame_dataset(times, grid, split, valid, attributes))
    write_fields(store, 0, make_waves(num_times, latitude, longitude))
    dataset = open_dataset(folder)
    train = dataset.isel(time=split == 0)
    fit_climatology(
        train["field"],
        train["year_phase"].to_numpy(),
        train["day_phase"].to_numpy(),
        harmonics=0,
        days=first / 4,
        is_zonally_symmetric=is_global,
    ).to_zarr(folder / "climatology.zarr", zarr_format=2, consolidated=True)
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small global dataset of waves; read it, do not change it."""
    return make_dataset(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def tiny_region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same over a region with odd sizes; read it, do not change it."""
    return make_dataset(tmp_path_factory.mktemp("region"), height=9, width=13, is_global=False)


@pytest.fixture
def files(params: dict) -> FilesParams:
    """``ingest.files`` as it stands."""
    return FilesParams.model_validate(params["ingest"]["files"])


@pytest.fixture
def waves() -> xr.Dataset:
    """Sixty frames of waves as a plain file has them: z and t on one level each, CF names."""
    latitude, longitude = np.linspace(78.75, -78.75, 8), np.arange(16) * 22.5
    fields = make_waves(60, latitude, longitude)
    dims = ("time", "latitude", "longitude")
    return xr.Dataset(
        {
            "z500": (dims, fields[:, 0], {"units": "m**2 s**-2"}),
            "t850": (dims, fields[:, 1], {"units": "K"}),
        },
        coords={
            "time": ("time", 6 * np.arange(60), {"units": "hours since 2001-01-01"}),
            "latitude": ("latitude", latitude, {"units": "degrees_north"}),
            "longitude": ("longitude", longitude, {"units": "degrees_east"}),
        },
    )


def write_grib(path: Path, messages: list[dict]) -> Path:
    """GRIB 1 messages on a 12 × 7 global grid; each has GRIB keys, and ``values`` (7, 12)."""
    import eccodes

    with open(path, "wb") as stream:
        for keys in messages:
            handle = eccodes.codes_grib_new_from_samples("regular_ll_pl_grib1")
            grid = {
                "Ni": 12, "Nj": 7, "latitudeOfFirstGridPointInDegrees": 90,
                "latitudeOfLastGridPointInDegrees": -90, "longitudeOfFirstGridPointInDegrees": 0,
                "longitudeOfLastGridPointInDegrees": 330, "iDirectionIncrementInDegrees": 30,
                "jDirectionIncrementInDegrees": 30, "dataDate": 20200101, "bitsPerValue": 24,
            }  # fmt: skip
            for key, value in {**grid, **keys}.items():
                if key == "values":
                    eccodes.codes_set_values(handle, np.ravel(value).astype(float))
                else:
                    eccodes.codes_set(handle, key, value)
            eccodes.codes_write(handle, stream)
            eccodes.codes_release(handle)
    return path
