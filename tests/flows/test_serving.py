"""The MLflow record of a run: comparable, complete, and its model usable anywhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import mlflow
import pytest

from flows import settings
from flows.sync import replay_all
from tests.checkout import Checkout


@pytest.fixture
def run(finished: Checkout) -> mlflow.entities.Run:
    """The training's run; the store is found where the checkout was run."""
    assert replay_all(finished.places)[1] == 0
    client = mlflow.MlflowClient(settings.tracking_uri(finished.places))
    experiment = client.get_experiment_by_name("toy")
    runs = client.search_runs([experiment.experiment_id], "tags.`dvc.stage` LIKE '%@toy'")
    assert len(runs) == 1  # training and evaluation are one run
    return runs[0]


def test_a_run_has_what_the_comparison_page_needs(
    run: mlflow.entities.Run, finished: Checkout
) -> None:
    client = mlflow.MlflowClient(settings.tracking_uri(finished.places))
    assert run.info.status == "FINISHED"
    assert run.data.params["train.lr"] == "0.01"
    assert run.data.params["source"] == "sample"
    assert run.data.metrics["test/error"] < run.data.metrics["test/error/fixed_slope"]
    assert len(client.get_metric_history(run.info.run_id, "val_loss")) == 4
    assert any(name.startswith("system/") for name in run.data.metrics)
    assert run.inputs.dataset_inputs[0].dataset.name == "points on a line, simulated"
    assert len(run.inputs.dataset_inputs[0].dataset.digest) == 36
    assert {"git.commit", "dvc.stage", "mlflow.parentRunId"} <= set(run.data.tags)
    files = {item.path for item in client.list_artifacts(run.info.run_id)}
    assert {"cases.csv", "metrics.json", "figures"} <= files
    parent = client.get_run(run.data.tags["mlflow.parentRunId"])
    assert parent.info.status == "FINISHED"


def test_the_logged_model_answers_in_a_fresh_process_elsewhere(
    run: mlflow.entities.Run, finished: Checkout, tmp_path: Path
) -> None:
    code = f"""
import mlflow, numpy as np
mlflow.set_tracking_uri({settings.tracking_uri(finished.places)!r})
model = mlflow.pyfunc.load_model("runs:/{run.info.run_id}/model")
assert model.metadata.signature.inputs.to_dict()[0]["name"] == "x"
print(model.predict({{"x": np.ones((2, 1), dtype=np.float32)}})["y"].shape)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=180
    )
    assert done.stdout.strip() == "(2, 1)", done.stderr
    (finished.root / "in.csv").write_text("x\n0.5\n")
    finished.convoy(
        "predict", "toy", "in.csv", "out.csv", "--model", f"runs:/{run.info.run_id}/model"
    )
    from_store = (finished.root / "out.csv").read_text()
    finished.convoy("predict", "toy", "in.csv", "out.csv")
    assert (finished.root / "out.csv").read_text() == from_store


def test_compare_shows_what_differs(run: mlflow.entities.Run, finished: Checkout) -> None:
    finished.convoy("run", "--no-server", "-S", "toy.train.lr=0.02")
    output = finished.convoy("compare", "toy", COLUMNS="160")
    assert "train.lr" in output
    assert "0.02" in output
    assert "train.seed" not in output  # the same in both
