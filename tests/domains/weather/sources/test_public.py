"""ERA5 by address, tried on a small store of the same layout."""

import functools
import http.server
import threading

import numpy as np
import pytest
import xarray as xr

from domains.errors import DataError
from domains.weather.ingest import collect, ingest
from domains.weather.params import IngestParams, PublicParams
from domains.weather.science.channels import GRAVITY, PAPER, PAPER_LEVELS, standard_height_m
from domains.weather.science.dataset import open_dataset
from domains.weather.sources.public import cached, collect_public

NAME = "1959-2023_01_10-6h-8x4_equiangular_conservative.zarr"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """WeatherBench 2's layout: (time, level, longitude, latitude), latitude from the south."""
    hours = np.arange(8760, 8760 + 8784 + 8760, 24)  # two years from 1960, daily
    latitude, longitude = np.array([-67.5, -22.5, 22.5, 67.5]), np.arange(8) * 45.0
    random = np.random.default_rng(0)
    shape = (len(hours), 3, 8, 4)
    base = np.array([50_000.0, 14_000.0, 1_000.0])[None, :, None, None]
    dataset = xr.Dataset(
        {
            "geopotential": (("time", "level", "longitude", "latitude"),
                             (base + random.normal(size=shape)).astype(np.float32),
                             {"units": "m**2 s**-2", "short_name": "z"}),
            "2m_temperature": (("time", "longitude", "latitude"),
                               (280 + random.normal(size=(len(hours), 8, 4))).astype(np.float32),
                               {"units": "K", "short_name": "t2m"}),
            "total_precipitation_6hr": (("time", "longitude", "latitude"),
                                        np.zeros((len(hours), 8, 4), np.float32)),
            "land_sea_mask": (("longitude", "latitude"), np.ones((8, 4), np.float32)),
        },
        coords={
            "time": ("time", hours, {"units": "hours since 1959-01-01",
                                     "calendar": "proleptic_gregorian"}),
            "level": ("level", [500, 850, 1000]),
            "latitude": latitude,
            "longitude": longitude,
        },
    )  # fmt: skip
    path = tmp_path_factory.mktemp("mirror") / "weather" / NAME
    dataset.chunk({"time": 100}).to_zarr(path, zarr_format=2, consolidated=True)
    return path


@pytest.fixture
def wanted(store):
    return PublicParams(
        address=str(store), channels=["2t", "z500", "z850"], first_year=1960, last_year=1961
    )


def test_channels_levels_and_years_are_selected_and_turned(store, wanted):
    collection = collect_public(wanted.model_copy(update={"first_year": 1961}))
    assert collection.channels == ["2t", "z500", "z850"]
    assert len(collection) == 365
    assert collection.times.labels()[0] == "1961-01-01T00:00"
    assert "Copernicus" in collection.licence
    with xr.open_zarr(store, decode_times=False, chunks=None) as original:
        row = collection.read(np.array([3]))[0]
        assert row.shape == (3, 4, 8)
        truth = original["geopotential"].isel(time=366 + 3, level=1)
        np.testing.assert_array_equal(row[2], truth.transpose("latitude", "longitude")[::-1])
        np.testing.assert_array_equal(
            row[0], original["2m_temperature"].isel(time=366 + 3).to_numpy().T[::-1]
        )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"first_year": 1959}, "public.first_year: 1959, but the data reach from 1960-01-01T00:00"),
        ({"last_year": 2018}, "public.last_year: 2018, but .* to 1961-12-31T00:00"),
        (
            {"channels": ["z500", "z300", "r850"]},
            r"z300, r850 missing, .*ingest.public.channels; take them out there",
        ),
        ({"address": "/nowhere/a.zarr"}, "cannot be opened as a Zarr store"),
    ],
)
def test_what_the_store_lacks_is_said(wanted, changes, message):
    with pytest.raises(DataError, match=message):
        collect_public(wanted.model_copy(update=changes))


def test_the_mirror_is_looked_in_before_the_network(store, wanted, monkeypatch):
    monkeypatch.setenv("CONVOY_MIRROR", str(store.parent.parent))
    address = f"gs://weatherbench2/datasets/era5/{NAME}"
    collection = collect_public(wanted.model_copy(update={"address": address}))
    assert collection.source == address
    assert len(collection) == 366 + 365


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A web server that says nothing."""

    def log_message(self, *_):
        pass


def test_a_store_is_read_over_the_web_and_its_size_said(
    store, wanted, params, tmp_path, monkeypatch, caplog
):
    monkeypatch.setenv("CONVOY_CACHE", str(tmp_path))
    handler = functools.partial(Quiet, directory=str(store.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            address = f"http://127.0.0.1:{server.server_port}/{NAME}"
            over_web = collect_public(wanted.model_copy(update={"address": address}))
            params["ingest"] |= {"step_h": 24.0}
            params["ingest"]["public"] = {**wanted.model_dump(), "address": address}
            collect("public", IngestParams.model_validate(params["ingest"])).read(np.arange(2))
            assert "reading 731 frames of 3 channels on 4 × 8 points" in caplog.text
            assert len(list(tmp_path.rglob("*.npy"))) == 1
            rows = np.array([5, 6])
            np.testing.assert_array_equal(over_web.read(rows), collect_public(wanted).read(rows))
            with pytest.raises(DataError, match=r"nothing.zarr: cannot be opened .*CONVOY_MIRROR"):
                collect_public(
                    wanted.model_copy(update={"address": address.replace(NAME, "nothing.zarr")})
                )
        finally:
            server.shutdown()
            thread.join()


def test_an_ingest_that_was_cut_short_reads_only_what_is_missing(
    wanted, files, tmp_path, monkeypatch
):
    monkeypatch.setenv("CONVOY_CACHE", str(tmp_path))
    monkeypatch.setattr("domains.weather.sources.public._PIECE_BYTES", 4 * 3 * 4 * 8 * 100)
    collection = collect_public(wanted)
    truth = collection.read(np.arange(len(collection)))
    asked = []
    original = collection.read

    def read(indices):
        if len(asked) == 3:
            raise OSError("connection lost")
        asked.append(int(indices[0]))
        return original(indices)

    collection.read = read
    with pytest.raises(OSError, match="connection lost"):
        cached(collection, files).read(np.arange(len(collection)))
    assert asked == [0, 100, 200]
    collection.read = lambda indices: asked.append(int(indices[0])) or original(indices)
    np.testing.assert_array_equal(cached(collection, files).read(np.arange(len(collection))), truth)
    assert asked == [0, 100, 200, 300, 400, 500, 600, 700]
    assert not list(tmp_path.rglob(".*"))


def test_two_years_of_reanalysis_become_a_dataset(wanted, params, tmp_path, monkeypatch):
    monkeypatch.setenv("CONVOY_CACHE", str(tmp_path / "cache"))
    params["ingest"] |= {"step_h": 24.0, "public": wanted.model_dump()}
    params["ingest"]["split"] |= {"validate_share": 0.05, "test_share": 0.2}
    card = ingest("public", tmp_path / "out", **params)
    assert card.licence.startswith("Copernicus")
    assert card.counts["frames"] == 731
    dataset = open_dataset(tmp_path / "out")
    assert dataset.attrs["calendar"] == "proleptic_gregorian"
    assert dataset["field"].shape == (731, 3, 4, 8)
    assert not dataset.attrs["is_zonally_symmetric"]
    assert not (tmp_path / "cache").exists()  # a folder at hand is not copied


@pytest.fixture
def full(tmp_path):
    """All 69 channels of the paper for ten days; relative humidity is a share without a unit."""
    long = {
        "z": ("geopotential", "m**2 s**-2"), "t": ("temperature", "K"),
        "u": ("u_component_of_wind", "m s**-1"), "v": ("v_component_of_wind", "m s**-1"),
        "r": ("relative_humidity", None),
    }  # fmt: skip
    height = GRAVITY * np.array([standard_height_m(level) for level in PAPER_LEVELS])
    base = {"z": height, "t": 250.0, "u": 5.0, "v": 0.0, "r": 0.5}
    random = np.random.default_rng(1)
    variables = {}
    for key, (name, unit) in long.items():
        noise = 0.1 * random.random((40, 13, 4, 3))
        values = np.broadcast_to(base[key], 13)[None, :, None, None] + noise
        variables[name] = (("time", "level", "longitude", "latitude"), values.astype(np.float32),
                           {} if unit is None else {"units": unit})  # fmt: skip
    for name, value, unit in (
        ("2m_temperature", 285.0, "K"), ("10m_u_component_of_wind", 3.0, "m s**-1"),
        ("10m_v_component_of_wind", 0.0, "m s**-1"), ("mean_sea_level_pressure", 1.01e5, "Pa"),
    ):  # fmt: skip
        values = (value + random.random((40, 4, 3))).astype(np.float32)
        variables[name] = (("time", "longitude", "latitude"), values, {"units": unit})
    coords = {
        "time": ("time", 6 * np.arange(40), {"units": "hours since 2001-01-01"}),
        "level": ("level", list(PAPER_LEVELS)),
        "latitude": [-60.0, 0.0, 60.0], "longitude": np.arange(4) * 90.0,
    }  # fmt: skip
    path = tmp_path / "full.zarr"
    xr.Dataset(variables, coords).to_zarr(path, zarr_format=2, consolidated=True)
    return path


def test_the_papers_69_channels_come_in_si_units(full, params, tmp_path, monkeypatch):
    monkeypatch.setenv("CONVOY_CACHE", str(tmp_path / "cache"))
    params["ingest"]["public"] = {
        "address": str(full), "channels": list(PAPER), "first_year": 2001, "last_year": 2001,
    }  # fmt: skip
    params["ingest"]["split"] |= {"gap_days": 0.5, "validate_share": 0.2, "test_share": 0.3}
    card = ingest("public", tmp_path / "out", **params)
    assert card.counts["channels"] == 69
    dataset = open_dataset(tmp_path / "out")
    assert tuple(dataset.attrs["channels"]) == PAPER
    with xr.open_zarr(full, decode_times=False, chunks=None) as store:
        truth = store["relative_humidity"].transpose("time", "level", "latitude", "longitude")
        np.testing.assert_allclose(
            dataset["field"].to_numpy()[:, PAPER.index("r50") : PAPER.index("r1000") + 1],
            100 * truth.to_numpy()[:, :, ::-1],
            rtol=1e-6,
        )
    assert not (tmp_path / "cache").exists()


def test_a_wrong_unit_is_found_on_the_first_piece(wanted, monkeypatch, tmp_path, params):
    monkeypatch.setattr("domains.weather.sources.quality._PIECE_BYTES", 1)
    monkeypatch.setattr("domains.weather.science.dataset._CHUNK_BYTES", 4 * 3 * 4 * 8 * 100)
    collection = collect_public(wanted)
    asked = []
    collection.read = lambda indices: (
        asked.append(len(indices)) or np.full((len(indices), 3, 4, 8), 15.0, np.float32)
    )
    monkeypatch.setattr("domains.weather.ingest.collect", lambda *_: collection)
    params["ingest"]["step_h"] = 24.0
    with pytest.raises(DataError, match="2t is 15 in the mean, expected 150 to 350 K"):
        ingest("public", tmp_path / "out", **params)
    assert asked == [100]
