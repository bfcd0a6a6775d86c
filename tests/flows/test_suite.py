"""All domains as one product, at a tiny size: run, reproduced in a clean clone, served by HTTP."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import pytest

from domains.task import load_task
from flows import parameters, settings
from flows.sync import make_client, replay_all
from tests.checkout import ROOT, Checkout, make_suite

pytestmark = pytest.mark.timeout(2400)  # sixteen trainings and what belongs to them

DOMAINS = parameters.read(ROOT / "params.yaml")["domains"]

_SERVE = """
import sys
import fastapi, mlflow, uvicorn
from mlflow.pyfunc import load_model
from mlflow.pyfunc.scoring_server import init
store, port, *models = sys.argv[1:]
mlflow.set_tracking_uri(store)
app = fastapi.FastAPI()
for model in models:
    domain, _, address = model.partition("=")
    app.mount(f"/{domain}", init(load_model(address)))
uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="error")
"""
"""The application that ``mlflow models serve`` runs, once for each domain, in one process."""


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout in which every domain has run at its tiny size; read it, do not change it."""
    made = make_suite(tmp_path_factory.mktemp("suite") / "checkout")
    output = made.convoy("run", "--no-server", timeout=1500)
    assert "not finished" not in output
    return made


def test_every_domain_goes_from_source_to_page(suite: Checkout) -> None:
    index = (suite.root / "outputs/report/index.html").read_text()
    for domain in DOMAINS:
        assert f'<a href="{domain}.html">' in index
        summary = json.loads((suite.places.evaluation(domain) / "summary.json").read_text())
        assert summary["metrics"][0]["baselines"], f"{domain}: a headline without a baseline"
        assert all(
            (suite.places.evaluation(domain) / f["file"]).is_file() for f in summary["figures"]
        )


def test_a_clean_clone_reproduces_every_number_bit_for_bit(suite: Checkout, tmp_path: Path) -> None:
    clone = Checkout(tmp_path / "clone")
    subprocess.run(["git", "clone", "-q", str(suite.root), str(clone.root)], check=True)
    shutil.copyfile(suite.root / "dvc.lock", clone.root / "dvc.lock")
    assert "ran in" in clone.convoy("run", "--no-server", timeout=1500)
    assert (clone.root / "dvc.lock").read_bytes() == (suite.root / "dvc.lock").read_bytes()


@pytest.fixture(scope="session")
def models(suite: Checkout) -> dict[str, str]:
    """Address in MLflow of each domain's model."""
    assert replay_all(suite.places)[1] == 0
    client = make_client(suite.places)
    found = {}
    for domain in DOMAINS:
        experiment = client.get_experiment_by_name(domain)
        runs = client.search_runs([experiment.experiment_id], "tags.`convoy.model` LIKE '%'")
        found[domain] = f"runs:/{runs[0].info.run_id}/model"
    return found


@contextmanager
def server(suite: Checkout, folder: Path, *command: str) -> Iterator[str]:
    """Address of a server whose command gets ``PORT`` replaced, until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    words = [sys.executable, *(port if word == "PORT" else word for word in command)]
    variables = {"MLFLOW_TRACKING_URI": settings.tracking_uri(suite.places)}
    process = subprocess.Popen(
        words, cwd=folder, env=suite.environment(**variables), start_new_session=True
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


@pytest.fixture(scope="session")
def served(
    suite: Checkout, models: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Address below which every domain's model answers under its name."""
    named = [f"{domain}={address}" for domain, address in models.items()]
    store = settings.tracking_uri(suite.places)
    folder = tmp_path_factory.mktemp("served")
    with server(suite, folder, "-c", _SERVE, store, "PORT", *named) as url:
        suite.wait_for(lambda: answers(f"{url}/{DOMAINS[-1]}/ping"), 300)
        yield url


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_served_model_answers_as_its_schema_says(
    domain: str, served: str, suite: Checkout
) -> None:
    check_answer(suite, domain, f"{served}/{domain}")


def test_mlflow_models_serve_answers(
    suite: Checkout, models: dict[str, str], tmp_path: Path
) -> None:
    domain = DOMAINS[0]
    command = ("-m", "mlflow", "models", "serve", "--env-manager", "local", "--port", "PORT")
    with server(suite, tmp_path, *command, "--model-uri", models[domain]) as url:
        suite.wait_for(lambda: answers(f"{url}/ping"), 300)
        check_answer(suite, domain, url)


def check_answer(suite: Checkout, domain: str, url: str) -> None:
    """The server's answer to the domain's example is that of the model on disk."""
    _, task, _ = load_task(suite.places.model(domain))
    predict = import_module(f"domains.{domain}.predict")
    arrays = predict.example_input(task)
    answer = post(f"{url}/invocations", {"inputs": {k: v.tolist() for k, v in arrays.items()}})
    expected = predict.infer(task, arrays)
    assert set(answer["predictions"]) == set(expected)
    for name, value in expected.items():
        found = np.asarray(answer["predictions"][name])
        assert found.shape == np.shape(value)
        if np.issubdtype(np.asarray(value).dtype, np.number):
            np.testing.assert_allclose(found.astype(float), value, rtol=1e-4, atol=1e-5)


def answers(url: str) -> bool:
    """Whether a server is up at ``url``."""
    try:
        with urlopen(url, timeout=3) as answer:
            return answer.status == 200
    except OSError:
        return False


def post(url: str, body: dict[str, Any]) -> Any:
    """The JSON that ``url`` answers to ``body``."""
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())
