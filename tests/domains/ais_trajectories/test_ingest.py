"""Raw messages to dataset: nothing lost, nothing leaked, the same bytes each time."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import geopandas
import numpy as np
import polars as pl
import pytest

from domains.ais_trajectories.ingest import ingest
from domains.ais_trajectories.science.geodesy import haversine_km, travel
from domains.ais_trajectories.science.storage import SPLITS, read_table
from domains.ais_trajectories.sources.simulator import simulate_ships
from domains.contract import Card
from domains.errors import DataError
from domains.files import hash_folder
from tests.domains.ais_trajectories.conftest import INGEST


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ingest") / "dataset"
    ingest("sample", folder, ingest=INGEST)
    return folder


def test_every_position_message_is_in_one_table(sample):
    cleaning = json.loads((sample / "cleaning.json").read_text())
    kept, flagged = read_table(sample, "messages"), read_table(sample, "flagged")
    assert cleaning["messages"]["messages kept"] == len(kept["vessel"])
    assert sum(cleaning["set aside"].values()) == len(flagged["vessel"])
    total = cleaning["messages"]["position messages"]
    assert total == len(kept["vessel"]) + len(flagged["vessel"])
    for reason in ("duplicate", "teleport", "not a ship", "position not available"):
        assert (flagged["reason"] == reason).sum() == cleaning["set aside"][reason] > 0
    assert cleaning["messages"]["out of order"] > 0
    assert cleaning["could not be read"]["checksum"] > 0


def test_resampled_points_lie_where_the_ships_really_were(sample):
    tracks = read_table(sample, "tracks")
    worst = []
    for ship in simulate_ships(INGEST["seed"], INGEST["sample"]["vessels"], 4.0):
        rows = tracks["vessel"] == ship.vessel
        minute = ((tracks["time_s"][rows] - ship.time_s[0]) / 60).astype(int)
        error = haversine_km(
            tracks["longitude"][rows],
            tracks["latitude"][rows],
            ship.longitude[minute],
            ship.latitude[minute],
        )
        frozen = error > 3.0  # at a hung receiver, whose messages are set aside as stale
        assert frozen.mean() < 0.05
        worst.append(np.quantile(error[~frozen], 0.99))
        assert (tracks["ship_type"][rows] == ship.ship_type).all()
    assert np.median(worst) < 0.6


def test_no_clean_fix_needs_more_speed_than_the_gate(sample):
    kept = read_table(sample, "messages")
    same = (np.diff(kept["track_id"]) == 0) & (np.diff(kept["vessel"]) == 0)
    lon, lat = kept["longitude"], kept["latitude"]
    distance = haversine_km(lon[:-1], lat[:-1], lon[1:], lat[1:])[same]
    assert (distance <= 40 * 1.852 * np.diff(kept["time_s"])[same] / 3600 + 0.3).all()


def test_splits_share_no_vessel_and_follow_each_other_in_time(sample):
    for table in ("tracks", "messages"):
        rows = read_table(sample, table)
        parts = [rows["split"] == split for split in SPLITS]
        vessels = [set(rows["vessel"][part]) for part in parts]
        assert all(vessels)
        assert len(set.union(*vessels)) == sum(map(len, vessels))
        for before, after in ((0, 1), (1, 2)):
            assert rows["time_s"][parts[before]].max() < rows["time_s"][parts[after]].min()


def test_neighbouring_points_of_a_track_are_a_step_apart(sample):
    rows = read_table(sample, "tracks")
    same = np.diff(rows["track_id"]) == 0
    assert (np.diff(rows["time_s"])[same] == 600).all()
    assert (np.diff(rows["track_id"]) >= 0).all()
    assert (np.unique(rows["track_id"], return_counts=True)[1] >= 6).all()


def test_the_tracks_are_a_geoparquet(sample):
    frame = geopandas.read_parquet(sample / "tracks.parquet")
    assert frame.crs == "OGC:CRS84"
    np.testing.assert_array_equal(frame.geometry.x, frame["longitude"])
    np.testing.assert_array_equal(frame.geometry.y, frame["latitude"])


def test_the_same_parameters_give_the_same_bytes_and_another_seed_does_not(sample, tmp_path):
    card, digest = Card.load(sample)
    assert digest == hash_folder(sample)
    ingest("sample", tmp_path / "again", ingest=INGEST)
    assert Card.load(tmp_path / "again") == (card, digest)
    other = {**INGEST, "seed": 1, "sample": {"vessels": 8, "days": 2.0, "report_s": 600.0}}
    ingest("sample", tmp_path / "other", ingest=other)
    assert hash_folder(tmp_path / "other") != digest
    assert "simulated" in card.title


def test_buckets_on_disk_change_only_the_order_of_vessels(sample, tmp_path, monkeypatch):
    from domains.ais_trajectories.sources import spool

    monkeypatch.setattr(spool, "_BYTES_PER_BUCKET", 100_000)
    ingest("sample", tmp_path / "many", ingest=INGEST)
    for table in ("tracks", "messages"):
        one, many = read_table(sample, table), read_table(tmp_path / "many", table)
        order = [np.lexsort((rows["time_s"], rows["vessel"])) for rows in (one, many)]
        for name in one:
            if name != "track_id":
                np.testing.assert_array_equal(one[name][order[0]], many[name][order[1]])


def test_the_voyages_end_where_the_ships_arrive(sample):
    voyages, tracks = read_table(sample, "voyages"), read_table(sample, "tracks")
    checked = 0
    for row, vessel in enumerate(voyages["vessel"]):
        place = np.flatnonzero(
            (tracks["vessel"] == vessel)
            & (np.abs(tracks["time_s"] - voyages["arrival_s"][row] - 600) <= 300)
        )
        for point in place:
            end = (voyages["destination_longitude"][row], voyages["destination_latitude"][row])
            assert haversine_km(tracks["longitude"][point], tracks["latitude"][point], *end) < 5.0
            checked += 1
    assert checked > 10


def own_csv(folder: Path, num: int = 30, lon: float = 10.0, knots: float = 12.0) -> Path:
    """Eight ships that go east from ``lon`` on the equator, a message every five minutes."""
    lines = ["mmsi,time,longitude,latitude,sog,cog"]
    for ship in range(8):
        minutes = 5.0 * np.arange(num) + 1000 * ship
        x, y = travel(lon, 0.1 * ship, 90.0, knots * 1.852 * 5 / 60 * np.arange(num))
        for when, a, b in zip(1.7e9 + 60 * minutes, x, y, strict=True):
            lines.append(f"{219000000 + ship},{when:.0f},{a:.6f},{b:.6f},{knots},90.0")
    path = folder / "own.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_tracks_of_ones_own_across_the_antimeridian_stay_whole(tmp_path, ingest_params):
    ingest_params["files"]["format"] = "columns"
    ingest_params["region"] = [170.0, -10.0, -170.0, 10.0]
    card = ingest(str(own_csv(tmp_path, lon=179.7)), tmp_path / "out", ingest=ingest_params)
    assert card.rejected == {}
    rows = read_table(tmp_path / "out", "tracks")
    assert len(np.unique(rows["track_id"])) == 8
    assert (np.abs(rows["longitude"]) > 179).all()
    assert (rows["longitude"] < 180).all()
    assert {1, -1} == set(np.sign(rows["longitude"]))


def test_a_log_too_short_to_train_on_is_read_and_said_to_be(test_data, tmp_path, ingest_params):
    ingest_params["tracks"]["min_points"] = 24
    path = test_data / "ais" / "dma_nmea_20131112_1200_5min.txt.gz"
    card = ingest(str(path), tmp_path / "out", ingest=ingest_params)
    oracle = pl.read_csv(test_data / "ais" / "dma_nmea_20131112_1200_5min_decoded.csv.gz")
    strangers = (~oracle["mmsi"].is_between(200_000_000, 799_999_999)).sum()
    assert card.rejected["not a ship"] == 1234 + 25 + strangers  # base stations, aids, MMSI
    assert card.counts["position messages"] == 25_947
    assert any("no track of 24 points in the test split; give more" in w for w in card.warnings)
    cleaning = json.loads((tmp_path / "out" / "cleaning.json").read_text())
    assert sum(cleaning["set aside"].values()) + card.counts["messages kept"] == 25_947


def test_a_file_without_positions_is_refused_and_leaves_nothing(tmp_path, ingest_params):
    (tmp_path / "log.nmea").write_text("$PGHP,1,2\n!AIVDM,1,1,,A,177K,0*00\n")
    with pytest.raises(DataError, match=r"log.nmea: no position of a ship with a time, expected"):
        ingest(str(tmp_path / "log.nmea"), tmp_path / "out", ingest=ingest_params)
    assert [path.name for path in tmp_path.iterdir()] == ["log.nmea"]


def test_positions_without_receive_times_are_counted_in_the_refusal(tmp_path, ingest_params):
    log = "!AIVDM,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,0*5C\n" * 3
    (tmp_path / "log.nmea").write_text(log)
    with pytest.raises(DataError, match="found 3 × no receive time"):
        ingest(str(tmp_path / "log.nmea"), tmp_path / "out", ingest=ingest_params)


def test_public_days_come_from_the_mirror_and_a_missing_one_is_named(
    tmp_path, ingest_params, monkeypatch
):
    header = (
        "# Timestamp,Type of mobile,MMSI,Latitude,Longitude,Navigational status,ROT,SOG,COG,Heading"
    )
    for day in (1, 2):
        rows = [
            f"{day:02d}/03/2024 {hour:02d}:{minute:02d}:00,Class A,{219000000 + ship},"
            f"55.5,1{ship}.5,Moored,,0.1,10.0,"
            for ship in range(8)
            for hour in range(24)
            for minute in range(0, 60, 6)
        ]
        with zipfile.ZipFile(tmp_path / f"aisdk-2024-03-0{day}.zip", "w") as archive:
            archive.writestr("day.csv", "\n".join([header, *rows]) + "\n")
    monkeypatch.setenv("CONVOY_MIRROR", str(tmp_path))
    card = ingest("public", tmp_path / "out", ingest=ingest_params)
    assert card.counts["messages kept"] == 2 * 8 * 240
    assert "Danish Maritime Authority" in card.licence
    monkeypatch.setenv("CONVOY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("pooch.retrieve", _no_network)
    ingest_params["public"]["days"] = 3
    with pytest.raises(
        DataError, match=r"could not fetch http://aisdata.ais.dk/2024/aisdk-2024-03"
    ):
        ingest("public", tmp_path / "out", ingest=ingest_params)


def _no_network(*_, **__):
    raise OSError("no network")
