"""Scores of the test split: against an own count of the errors, by name, the same twice."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domains.ais_trajectories.evaluate import evaluate
from domains.ais_trajectories.science.geodesy import haversine_km
from domains.ais_trajectories.train import build
from domains.errors import DataError
from tests.domains.ais_trajectories.test_train import MESSAGES, MODEL, TRAIN

SECTION = {"stride": 2, "predict": {"paths": 1}}


@pytest.fixture(scope="module")
def untrained(tiny_dataset):
    return build(tiny_dataset, model=MODEL, train=TRAIN)[0].eval()


@pytest.fixture(scope="module")
def result(tiny_dataset, untrained, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return evaluate(tiny_dataset, untrained, out, evaluate=SECTION), out


def test_the_headline_is_the_error_at_the_last_horizon_beside_all_methods(result) -> None:
    headline = result[0].headline
    assert headline.name == "error_4h"
    assert headline.unit == "km"
    assert set(headline.baselines) == {
        "constant_velocity", "persistence", "kalman", "gru", "no_conv",
    }  # fmt: skip


def test_persistence_errs_by_the_way_that_was_gone(result, tiny_dataset) -> None:
    tracks = pd.read_parquet(tiny_dataset / "tracks.parquet")
    tracks = tracks[(tracks.split == "test") & tracks.is_moving]
    errors = []
    for _, track in tracks.groupby("track_id"):
        lon, lat = track.longitude.to_numpy(), track.latitude.to_numpy()
        for last in range(5, len(track) - 6, 2):  # an hour seen, an hour or more to come
            if last + 24 < len(track):
                errors.append(haversine_km(lon[last], lat[last], lon[last + 24], lat[last + 24]))
    headline = result[0].headline
    assert headline.n == len(errors)
    assert headline.baselines["persistence"] == pytest.approx(np.mean(errors), rel=1e-9)


def test_an_untrained_network_is_nearly_constant_velocity(result) -> None:
    # it keeps 95 % of the way, so it differs by at most 5 % of what persistence errs by
    headline = result[0].headline
    slack = 0.06 * headline.baselines["persistence"]
    assert headline.value == pytest.approx(headline.baselines["constant_velocity"], abs=slack)
    assert headline.value == pytest.approx(headline.baselines["gru"], rel=1e-4)


def test_every_quantity_of_the_issue_is_there(result) -> None:
    names = {metric.name for metric in result[0].metrics}
    assert {
        "error_1h", "error_2h", "error_3h", "median_error_4h", "error_4h_still",
        "final_displacement", "error_4h_from_0.5h", "error_4h_best_of_2", "r2_longitude_4h",
        "r2_latitude_4h", "rpd_longitude_4h", "rpd_latitude_4h", "route_f1", "destination_f1",
    } <= names  # fmt: skip
    best = next(m for m in result[0].metrics if m.name == "error_4h_best_of_2")
    assert best.baselines["single_forecast"] == pytest.approx(result[0].headline.value)


def test_cases_are_tracks_and_their_means(result) -> None:
    cases = result[0].cases
    assert len(cases) == 3
    assert cases.columns[0] == "case"
    moored = cases[cases.windows_under_way == 0]
    assert len(moored) == 1
    assert moored["error_4h"].isna().all()
    headline = result[0].headline
    sailing = cases[cases.windows_under_way > 0]
    assert sailing["error_4h:persistence"].mean() == pytest.approx(
        headline.baselines["persistence"], rel=1e-6
    )  # both ships have the same number of windows


def test_notes_say_what_is_simulated_and_what_was_missed(result) -> None:
    text = " ".join(result[0].notes)
    assert "simulated" in text
    assert "4h ahead: " in text
    assert "missed" in text


def test_an_evaluation_gives_the_same_bytes_twice(result, tiny_dataset, untrained, tmp_path):
    first, out = result
    second = evaluate(tiny_dataset, untrained, tmp_path, evaluate=SECTION)
    assert [vars(m) for m in first.metrics] == [vars(m) for m in second.metrics]
    pd.testing.assert_frame_equal(first.cases, second.cases)
    assert len(first.figures) == 3
    for figure in first.figures:
        assert (out / figure.file).read_bytes() == (tmp_path / figure.file).read_bytes()


def test_a_test_split_at_rest_is_refused(tiny_dataset, untrained, tmp_path, dataset_maker) -> None:
    from domains.ais_trajectories.science.storage import read_table, write_table

    folder = dataset_maker(tmp_path / "still")
    table = read_table(folder, "tracks")
    resting = table["split"] == "test"
    for name in ("longitude", "latitude"):
        table[name] = np.where(resting, np.round(table[name][-1]), table[name])
    write_table(folder, "tracks", table)
    with pytest.raises(DataError, match="a ship under way; bring tracks that move"):
        evaluate(folder, untrained, tmp_path / "out", evaluate=SECTION)


def test_messages_are_scored_variable_by_variable(tiny_dataset, tmp_path) -> None:
    task = build(tiny_dataset, model=MESSAGES, train=TRAIN)[0].eval()
    found = evaluate(tiny_dataset, task, tmp_path, evaluate=SECTION)
    names = [metric.name for metric in found.metrics]
    assert names == [
        "rpd_all", "rpd_longitude", "rpd_latitude", "rpd_speed", "rpd_course", "rpd_interval",
        "distance",
    ]  # fmt: skip
    for metric in found.metrics:  # untrained networks repeat the last message but for its interval
        if metric.name not in ("rpd_all", "rpd_interval"):
            plain = metric.baselines["persistence"]
            assert metric.value == pytest.approx(plain, rel=1e-3, abs=1e-4)
        assert set(metric.baselines) == {"gru", "persistence", "dead_reckoning"}
    assert (tmp_path / found.figures[0].file).stat().st_size > 5000
