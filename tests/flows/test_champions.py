"""The model shelf: only what is better on the same cases becomes the champion."""

from __future__ import annotations

import shutil

import pytest

from flows.sync import replay_all
from tests.checkout import Checkout


def runs(checkout: Checkout) -> list[str]:
    """Ids of the training runs, the latest first."""
    import mlflow

    from flows import settings

    client = mlflow.MlflowClient(settings.tracking_uri(checkout.places))
    experiment = client.get_experiment_by_name("toy")
    found = client.search_runs([experiment.experiment_id])
    return [run.info.run_id for run in found if run.data.tags.get("convoy.kind") != "flow"]


@pytest.fixture
def shelf(finished: Checkout) -> Checkout:
    """A finished checkout whose run is in MLflow."""
    assert replay_all(finished.places)[1] == 0
    return finished


def test_a_champion_is_replaced_only_by_what_beats_it(shelf: Checkout) -> None:
    (shelf.root / "in.csv").write_text("x\n0.5\n")
    shelf.convoy("predict", "toy", "in.csv", "first.csv")
    first = runs(shelf)[0]
    output = shelf.convoy("promote", "toy", first[:8])
    assert f"run {first[:8]} is the champion, version 1" in output
    assert "fixed slope" in output  # the baseline stands beside

    shelf.convoy("run", "--no-server", "-S", "toy.train.max_steps=2")  # hardly trained
    shelf.convoy("sync")
    assert "does not beat the champion, version 1 stays" in shelf.convoy("promote", "toy", code=1)
    assert "model: models:/toy@champion" in shelf.convoy("predict", "toy", "in.csv", "now.csv")
    assert (shelf.root / "now.csv").read_text() == (shelf.root / "first.csv").read_text()

    shelf.convoy("run", "--no-server", "-S", "toy.train.max_steps=60", "-S", "toy.model.width=8")
    shelf.convoy("sync")
    assert "is the champion, version 2" in shelf.convoy("promote", "toy")
    assert "champion" in shelf.convoy("compare", "toy", COLUMNS="160")


def test_a_champion_in_a_store_of_the_team_is_found(finished: Checkout) -> None:
    (finished.root / "in.csv").write_text("x\n0.5\n")
    team = {"MLFLOW_TRACKING_URI": "sqlite:///team.db"}  # beside params.yaml
    finished.convoy("run", "--no-server", "-S", "toy.train.lr=0.02", **team)
    finished.convoy("sync", **team)
    finished.convoy("promote", "toy", **team)
    for path in finished.places.state.glob("mlflow.db*"):
        path.unlink()
    output = finished.convoy("predict", "toy", "in.csv", "out.csv", **team)
    assert "model: models:/toy@champion" in output
    assert (finished.root / "team.db").is_file()


def test_a_model_that_may_have_seen_the_test_cases_is_refused(shelf: Checkout) -> None:
    first = runs(shelf)[0][:8]
    shelf.convoy("run", "--no-server", "-S", "toy.ingest.num_points=96")
    shelf.convoy("sync")
    assert "was trained on data" in shelf.convoy("promote", "toy", first, code=1)
    shelf.convoy("promote", "toy")
    shelf.convoy("run", "--no-server", "-S", "toy.ingest.num_points=64")
    output = shelf.convoy("promote", "toy", first, code=None)
    assert "the champion was trained on other data" in output  # which can only favour it


def test_a_run_that_is_not_there_is_one_line(shelf: Checkout) -> None:
    output = shelf.convoy("promote", "toy", "0000", code=1)
    assert "no run '0000' of toy, expected one" in output
    assert len(output.strip().splitlines()) == 1
    shelf.convoy("promote", "toy")
    assert "is the champion of toy already" in shelf.convoy("promote", "toy", code=1)
    shutil.rmtree(shelf.root / "outputs/model/toy")
    assert "no run of the model at hand" in shelf.convoy("promote", "toy", code=1)
