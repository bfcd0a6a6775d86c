"""The model shelf: one champion for each domain, replaced only by what beats it.

The shelf is MLflow's registry: registered model = domain, alias ``champion``.  A candidate and the
champion are scored on the same test cases, by the same code, in the same run.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domains.contract import Card, Evaluation, Metric, domain_function
from domains.errors import DataError, ParameterError
from domains.files import hash_file
from domains.params import DomainParams
from domains.task import load_task
from flows import parameters
from flows.locks import lock
from flows.results import number
from flows.settings import Places, store_file, tracking_uri
from flows.sync import make_client

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion

ALIAS = "champion"


@dataclass(frozen=True)
class Verdict:
    """A candidate beside the champion.

    Args:
        run: the candidate's MLflow run.
        candidate: its evaluation.
        champion: the champion's on the same cases, ``None`` where there was none.
        version: of the champion on the shelf now.
        remarks: what a reader must know of the comparison.
    """

    run: str
    candidate: Evaluation
    champion: Evaluation | None
    version: str
    remarks: tuple[str, ...]

    @property
    def is_promoted(self) -> bool:
        """Whether the candidate is better in the key number; an equal one is not."""
        ours = self.candidate.headline
        return self.champion is None or ours.beats(self.champion.headline.value)


def promote(places: Places, domain: str, wanted: str | None) -> Verdict:
    """Make a run's model the domain's champion if it beats the present one.

    Args:
        places: the checkout; its dataset has the test cases.
        domain: its name.
        wanted: run id or the beginning of one; ``None`` for the model trained last.

    Raises:
        ConvoyError: no such run, no model in it, other data than those at hand.
    """
    known = parameters.load(places)
    parameters.choose(known, [domain])
    with lock(places.locks / f"promote_{domain}.lock"):
        client = make_client(places)
        run = find_run(client, places, domain, wanted)
        version = champion_of(client, domain)
        if version and version.run_id == run.info.run_id:
            raise ParameterError(f"run {run.info.run_id[:8]} is the champion of {domain} already")
        remarks = check_data(client, places, domain, run, version)
        candidate = score(places, domain, known[domain], f"runs:/{run.info.run_id}/model")
        if math.isnan(candidate.headline.value):
            raise DataError(
                f"run {run.info.run_id[:8]}: {candidate.headline.name} is not a number (NaN), "
                "which no champion can have; retrain it, or promote another run"
            )
        champion = None
        if version:
            champion = score(places, domain, known[domain], f"models:/{domain}@{ALIAS}")
        if champion and champion.headline.name != candidate.headline.name:
            raise ParameterError(
                f"the key numbers differ: {candidate.headline.name} of run "
                f"{run.info.run_id[:8]}, {champion.headline.name} of the champion"
            )
        verdict = Verdict(run.info.run_id, candidate, champion, "", remarks)
        if verdict.is_promoted:
            version = register(client, domain, run, candidate.headline)
        assert version is not None
    return Verdict(run.info.run_id, candidate, champion, version.version, remarks)


def champion_of(client: MlflowClient, domain: str) -> ModelVersion | None:
    """The domain's champion, ``None`` while it has none."""
    from mlflow.exceptions import MlflowException

    try:
        return client.get_model_version_by_alias(domain, ALIAS)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def has_champion(places: Places, domain: str) -> bool:
    """The same question, cheap where nothing was ever recorded."""
    file = store_file(tracking_uri(places))
    if file and not file.is_file():
        return False
    return champion_of(make_client(places), domain) is not None


def find_run(client: MlflowClient, places: Places, domain: str, wanted: str | None) -> Run:
    """The training run named, or the one that made the model at hand.

    Raises:
        ParameterError: none, or several; DataError: its model is not in MLflow.
    """
    experiment = client.get_experiment_by_name(domain)
    found = client.search_runs([experiment.experiment_id], max_results=1000) if experiment else []
    runs = [run for run in found if run.data.tags.get("convoy.kind") != "flow"]
    if wanted is None:
        weights = places.model(domain) / "weights.safetensors"
        digest = hash_file(weights) if weights.is_file() else ""
        chosen = [run for run in runs if run.data.tags.get("convoy.model") == digest][:1]
    else:
        chosen = [run for run in runs if run.info.run_id.startswith(wanted)]
    if len(chosen) != 1:
        what = f"run {wanted!r}" if wanted else "run of the model at hand"
        raise ParameterError(
            f"{tracking_uri(places)}: {len(chosen) or 'no'} {what} of {domain}, expected one; "
            f"`convoy compare {domain}` lists runs, `convoy sync` brings late ones"
        )
    if "convoy.model" not in chosen[0].data.tags:
        raise DataError(
            f"run {chosen[0].info.run_id[:8]} has no model in MLflow: it did not finish its "
            "training, or `convoy sync` has still to bring it"
        )
    return chosen[0]


def check_data(
    client: MlflowClient, places: Places, domain: str, run: Run, version: ModelVersion | None
) -> tuple[str, ...]:
    """Refuse a candidate that was trained on other data than those it would be scored on.

    Its training data could hold the test cases.  For a champion that only favours the champion, so
    it is said and not refused.
    """
    digest = Card.load(places.dataset(domain))[1][:36]
    if _digest(run) != digest:
        raise DataError(
            f"run {run.info.run_id[:8]} was trained on data {_digest(run)[:8]}, at hand are "
            f"{digest[:8]}: its training may have seen the test cases; set the parameters of that "
            f"run and `convoy run {domain}` first"
        )
    if version is None:
        return ()
    other = _digest(client.get_run(version.run_id)) if version.run_id else ""
    if other == digest:
        return ()
    return (
        f"the champion was trained on other data ({other[:8] or 'unknown'}), which may hold these "
        "test cases",
    )


def _digest(run: Run) -> str:
    """First 36 characters of the hash of the data that the run was trained on."""
    inputs = run.inputs.dataset_inputs if run.inputs else []
    return inputs[0].dataset.digest if inputs else ""


def score(places: Places, domain: str, params: DomainParams, address: str) -> Evaluation:
    """Evaluation of the model at ``address`` on the test cases at hand."""
    import torch

    torch.set_num_threads(params.train.threads)
    with downloaded(places, address) as folder:
        _, task, trained = load_task(folder)
    values = params.model_dump(mode="json")
    sections = {"ingest": values["ingest"], "evaluate": values["evaluate"]}
    sections |= {"model": trained["model"], "train": trained["train"]}
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "figures").mkdir()
        return domain_function(domain, "evaluate")(
            places.dataset(domain), task, Path(scratch), **sections
        )


@contextmanager
def downloaded(places: Places, address: str) -> Iterator[Path]:
    """Folder of the trained task that MLflow has at ``runs:/ID/model`` or ``models:/NAME@ALIAS``.

    Raises:
        DataError: nothing there.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    make_client(places)
    folder = tempfile.mkdtemp()
    try:
        whole = mlflow.artifacts.download_artifacts(address, dst_path=folder)
        yield Path(whole) / "artifacts" / "model"
    except MlflowException as error:
        raise DataError(f"{address}: {str(error).splitlines()[0]}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def register(client: MlflowClient, domain: str, run: Run, metric: Metric) -> ModelVersion:
    """Put the run's model on the shelf as the champion."""
    import mlflow

    tags = {metric.name: f"{metric.value:.6g}", "dataset": _digest(run)}
    version = mlflow.register_model(f"runs:/{run.info.run_id}/model", domain, tags=tags)
    client.set_registered_model_alias(domain, ALIAS, version.version)
    return version


def rows(verdict: Verdict) -> Iterator[tuple[str, ...]]:
    """Metric, candidate, champion, strongest baseline, and which of the two models is better."""
    theirs: dict[str, Any] = {}
    if verdict.champion:
        theirs = {metric.name: metric for metric in verdict.champion.metrics}
    for metric in verdict.candidate.metrics:
        other, best = theirs.get(metric.name), metric.best_baseline()
        yield (
            f"{metric.name.replace('_', ' ')} ({metric.better} is better)",
            number(metric.value, metric.unit),
            number(other.value, metric.unit) if other else "",
            f"{number(best[1], metric.unit)} ({best[0].replace('_', ' ')})" if best else "none",
            "" if not other else _word(metric, other),
            str(metric.n),
        )


def _word(metric: Metric, other: Metric) -> str:
    if metric.value == other.value:
        return "equal"
    return "candidate" if metric.beats(other.value) else "champion"
