"""From a user's messages to paths in GeoJSON and GeoParquet."""

from __future__ import annotations

import json
import logging

import geopandas
import numpy as np
import pytest

from domains.ais_trajectories.predict import example_input, infer, predict
from domains.ais_trajectories.science.geodesy import haversine_km, travel
from domains.ais_trajectories.train import Task
from domains.errors import DataError

PARAMS = {"predict": {"paths": 2}}
STEPS, HORIZON = 18, 72


class ConstantVelocity:
    """Two paths of each vessel: straight on, and a right angle to starboard."""

    network = "multipath"
    context_steps, least_steps, horizon_steps, step_min = STEPS, 6, HORIZON, 10.0
    region = (-180.0, -10.0, 180.0, 10.0)

    def paths(self, longitude, latitude, sog_kn, cog_deg, ship_type, num_paths=1):
        assert longitude.shape == latitude.shape
        assert longitude.shape[0] == len(ship_type)
        assert self.least_steps <= longitude.shape[1] <= STEPS
        assert np.isfinite(longitude).all()
        km = sog_kn[:, -1:, None] * 1.852 * np.arange(1, HORIZON + 1) / 6
        turn = np.array([0.0, 90.0])[:num_paths, None]
        course = cog_deg[:, -1:, None] + turn
        lon, lat = travel(longitude[:, -1:, None], latitude[:, -1:, None], course, km)
        return lon, lat, np.tile([0.8, 0.2][:num_paths], (len(longitude), 1))

    def next_content(self, longitude, latitude, sog_kn, cog_deg, time_s):
        return {"longitude": longitude[:, -1], "latitude": latitude[:, -1]}


@pytest.fixture
def log(tmp_path, ingest_params):
    """A ship that goes east towards 180°, and one that was heard for half an hour alone."""
    ingest_params["files"]["format"] = "columns"
    lines = ["mmsi,time,longitude,latitude,sog,cog"]
    for vessel, num in ((219000001, 60), (219000002, 6)):
        lon, lat = travel(179.0, 0.0, 90.0, 12 * 1.852 / 12 * np.arange(num))
        for minute, x, y in zip(5 * np.arange(num), lon, lat, strict=True):
            lines.append(f"{vessel},{1.7e9 + 60 * minute + 17:.0f},{x:.6f},{y:.6f},12.0,90.0")
    path = tmp_path / "log.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_paths_begin_at_the_last_fix_and_are_cut_at_the_antimeridian(
    log, tmp_path, ingest_params, caplog
):
    with caplog.at_level(logging.WARNING):
        predict(
            ConstantVelocity(), log, tmp_path / "a.geojson", ingest=ingest_params, evaluate=PARAMS
        )
    assert "left out 1 of 2 vessels: heard for less than 1 h" in caplog.text
    features = json.loads((tmp_path / "a.geojson").read_text())["features"]
    assert [f["properties"]["path"] for f in features] == [1, 2]
    assert [f["properties"]["probability"] for f in features] == [0.8, 0.2]
    straight, turned = (f["geometry"] for f in features)
    assert (straight["type"], turned["type"]) == ("MultiLineString", "LineString")
    facts = features[0]["properties"]
    assert facts["vessel"] == 219000001
    assert facts["start"] == facts["times"][0] == "2023-11-15T03:00:00Z"
    assert len(facts["times"]) == len(facts["longitude"]) == HORIZON + 1
    ends = (
        facts["longitude"][0],
        facts["latitude"][0],
        facts["longitude"][-1],
        facts["latitude"][-1],
    )
    assert haversine_km(*ends) == pytest.approx(12 * 12 * 1.852, abs=0.01)


def test_a_path_that_crosses_is_two_lines_that_end_on_the_meridian(log, tmp_path, ingest_params):
    for name in ("a.geojson", "a.parquet"):
        predict(ConstantVelocity(), log, tmp_path / name, ingest=ingest_params, evaluate=PARAMS)
    lines = json.loads((tmp_path / "a.geojson").read_text())["features"][0]["geometry"]
    assert lines["type"] == "MultiLineString"
    assert lines["coordinates"][0][-1][0] == 180.0
    assert lines["coordinates"][1][0][0] == -180.0
    frame = geopandas.read_parquet(tmp_path / "a.parquet")
    assert frame.crs == "OGC:CRS84"
    assert frame.geometry.iloc[0].geom_type == "MultiLineString"
    assert frame["vessel"].tolist() == [219000001] * 2
    assert frame.geometry.iloc[0].equals(
        geopandas.read_file(tmp_path / "a.geojson").geometry.iloc[0]
    )


def test_ships_heard_for_different_times_are_answered_from_what_there_is(
    log, tmp_path, ingest_params
):
    more = [line.replace("219000001", "219000003") for line in log.read_text().splitlines()[1:26]]
    text = log.read_text() + "\n".join(more) + "\n"  # two hours, of 3
    log.write_text(text)
    predict(ConstantVelocity(), log, tmp_path / "a.parquet", ingest=ingest_params, evaluate=PARAMS)
    frame = geopandas.read_parquet(tmp_path / "a.parquet")
    assert frame["vessel"].tolist() == [219000001] * 2 + [219000003] * 2
    for _, row in frame[frame["path"] == 1].iterrows():
        ends = row["longitude"][0], row["latitude"][0], row["longitude"][-1], row["latitude"][-1]
        assert haversine_km(*ends) == pytest.approx(12 * 12 * 1.852, abs=0.01)
        assert np.diff(row["time_s"]).tolist() == [600.0] * HORIZON


def test_vessels_outside_the_waters_of_the_training_are_counted(
    log, tmp_path, ingest_params, caplog
):
    model = ConstantVelocity()
    model.region = (-72.0, 45.0, -57.0, 51.0)
    with caplog.at_level(logging.WARNING):
        predict(model, log, tmp_path / "a.geojson", ingest=ingest_params, evaluate=PARAMS)
    assert "1 of 1 vessels are outside -72.0 to -57.0° E, 45.0 to 51.0° N, where" in caplog.text
    caplog.clear()
    model.region = (-190.0, -10.0, -170.0, 10.0)  # on both sides of 180°
    predict(model, log, tmp_path / "a.geojson", ingest=ingest_params, evaluate=PARAMS)
    assert "outside" not in caplog.text


def test_what_cannot_be_predicted_is_said(log, tmp_path, ingest_params):
    with pytest.raises(
        DataError, match=r"a.csv: cannot write this kind of file, expected .geojson"
    ):
        predict(ConstantVelocity(), log, tmp_path / "a.csv", ingest=ingest_params, evaluate=PARAMS)
    text = log.read_text().splitlines()
    log.write_text("\n".join([text[0], *text[61:]]) + "\n")
    with pytest.raises(
        DataError, match=r"none of 1 vessels was heard for 1 h without a silence of"
    ):
        predict(ConstantVelocity(), log, tmp_path / "a.json", ingest=ingest_params, evaluate=PARAMS)
    assert not (tmp_path / "a.json").exists()


def test_a_model_of_messages_is_refused_before_the_input_is_read(tmp_path, ingest_params):
    task = Task(
        "messages", length=8, max_gap_min=30.0, hidden=8, compare=[],
        lr=1e-3, weight_decay=0.0, max_steps=10, grad_clip=1.0,
    )  # fmt: skip
    for name in ("a.geojson", "a.csv"):
        with pytest.raises(DataError, match=r"the next message, not a path; set model.network: mu"):
            predict(task, "nowhere.nmea", tmp_path / name, ingest=ingest_params, evaluate=PARAMS)


def test_the_example_is_two_ships_under_way_and_can_be_answered_by_both_networks():
    arrays = example_input(None)
    assert (arrays["sog_kn"].mean(axis=1) > 5).all()
    assert set(np.diff(arrays["time_s"]).ravel()) == {600.0}
    answer = infer(ConstantVelocity(), arrays)
    assert {name: value.shape for name, value in answer.items()} == {
        "longitude": (2, 1, HORIZON),
        "latitude": (2, 1, HORIZON),
        "probability": (2, 1),
    }
    messages = ConstantVelocity()
    messages.network = "messages"
    np.testing.assert_array_equal(infer(messages, arrays)["longitude"], arrays["longitude"][:, -1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sog_kn": None}, "sog_kn missing, expected"),
        ({"latitude": np.full((2, 72), np.nan)}, "latitude not finite; leave such fixes out"),
        ({"latitude": np.zeros((2, 71))}, r"arrays of shapes .*, expected all \(B, L\)"),
    ],
)
def test_bad_arrays_are_refused(change, message):
    arrays = {k: v for k, v in {**example_input(None), **change}.items() if v is not None}
    with pytest.raises(DataError, match=message):
        infer(ConstantVelocity(), arrays)


def test_too_few_fixes_are_refused():
    arrays = {k: v if v.ndim == 1 else v[:, :5] for k, v in example_input(None).items()}
    with pytest.raises(DataError, match="5 fixes, expected at least 6"):
        infer(ConstantVelocity(), arrays)
