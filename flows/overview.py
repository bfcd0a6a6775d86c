"""What the short commands print: domains, status, runs side by side, promotions, health."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Collection, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from rich.console import Console
from rich.table import Table

from domains.errors import ConvoyError, DataError
from flows import parameters
from flows.locks import holder, is_held
from flows.results import headline, minutes_taken, number, read_result
from flows.runner import StageResult
from flows.settings import Places, tracking_uri
from flows.tracking import backlog, carrier_lock, spools, was_killed

_SHOWN = ("prefect", "mlflow", "dvc", "lightning", "torch", "xarray", "numpy")


def print_domains(places: Places) -> None:
    """Each domain with the first line of its card and its key number."""
    table = Table("domain", "what", "source", "key number")
    for name, params in parameters.load(places).items():
        what = (import_module(f"domains.{name}").__doc__ or "").strip().splitlines()[0]
        result = read_result(places, name)
        table.add_row(
            name, what, params.source, headline(result.metrics[0]) if result else "not run yet"
        )
    Console().print(table)


def finish(places: Places, results: list[StageResult]) -> list[StageResult]:
    """The last lines of a run: each domain's number beside its baseline, the page, what failed."""
    from flows.report import refresh_report

    wait_for_carrier(places)
    console = Console(highlight=False, soft_wrap=True)
    index = refresh_report(places)
    if all(result.outcome == "unchanged" for result in results):
        console.print(f"nothing to do: {len(results)} stages are up to date")
    print_waiting(places, console)
    names = list(filter(None, dict.fromkeys(result.domain for result in results)))
    unfinished = [result for result in results if result.outcome in ("failed", "skipped")]
    print_results(places, names, {result.domain for result in unfinished})
    if index:
        console.print(f"open {index}", markup=False)
    for result in unfinished:
        console.print(f"{result.outcome}: {result.stage}: {result.error}", markup=False)
    return results


def print_results(places: Places, domains: Sequence[str], broken: Collection[str]) -> None:
    """A row for each domain: key metric, ours, strongest baseline, which is better, minutes.

    Args:
        places: the checkout.
        domains: the rows.
        broken: those among them that did not finish; an earlier number would pass for this run's.
    """
    table = Table("domain", "key metric", "ours", "strongest baseline", "", "cases", "minutes")
    for name in domains:
        result = None if name in broken else read_result(places, name)
        if result is None:
            table.add_row(name, "not finished")
            continue
        metric = result.metrics[0]
        best = metric.best_baseline()
        minutes = minutes_taken(places, name)
        table.add_row(
            name,
            f"{metric.name.replace('_', ' ')} ({metric.better} is better)",
            number(metric.value, metric.unit),
            f"{number(best[1], metric.unit)} ({best[0].replace('_', ' ')})" if best else "none",
            "better" if best is None or metric.beats(best[1]) else "worse",
            str(metric.n),
            "from cache" if minutes is None else f"{minutes:.1f}",
        )
    wide_console().print(table)


def wide_console() -> Console:
    """For tables of numbers: as wide as the terminal, and in a log as wide as they need."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=200)


def wait_for_carrier(places: Places, patience_s: float = 15.0) -> None:
    """Give the process that carries records to MLflow a moment to finish."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if not is_held(carrier_lock(places)):
            return
        time.sleep(0.1)


def print_status(places: Places, domains: Sequence[str]) -> None:
    """Stages with their state, and the records MLflow does not have yet."""
    from flows.dag import read_plan

    wanted = parameters.choose(parameters.load(places), domains)
    table = Table("stage", "state")
    for stage in read_plan(places, wanted):
        running = is_held(places.locks / f"{stage.name}.lock")
        state = "running" if running else "stale" if stage.stale else "up to date"
        table.add_row(stage.name, state)
    console = Console()
    console.print(table)
    print_waiting(places, console)


def print_waiting(places: Places, console: Console) -> None:
    """Say how many records MLflow has not taken yet, if any."""
    waiting = [spool for spool in spools(places) if backlog(spool)]
    if waiting:
        console.print(
            f"warning: {len(waiting)} records wait for MLflow at {tracking_uri(places)}; "
            "`convoy sync` brings them there"
        )


def print_comparison(places: Places, domain: str) -> None:
    """The last runs of a domain, a column each: parameters that differ, numbers, baselines."""
    from flows.champions import champion_of
    from flows.sync import make_client

    parameters.choose(parameters.load(places), [domain])
    client = make_client(places)
    experiment = client.get_experiment_by_name(domain)
    found = client.search_runs([experiment.experiment_id], max_results=50) if experiment else []
    runs = [run for run in found if run.data.tags.get("convoy.kind") != "flow"][:6]
    if not runs:
        raise DataError(f"{tracking_uri(places)} has no runs of {domain}; `convoy run {domain}`")
    keys = sorted({key for run in runs for key in run.data.params})
    differing = [key for key in keys if len({run.data.params.get(key) for run in runs}) > 1]
    numbers = sorted({k for run in runs for k in run.data.metrics if k.startswith("test/")})
    table = Table("", *(run.info.run_id[:8] for run in runs))
    champion = champion_of(client, domain)
    shelf = ["champion" if champion and run.info.run_id == champion.run_id else "" for run in runs]
    table.add_row("shelf", *shelf)
    table.add_row("status", *(run.info.status.lower() for run in runs))
    for key in differing:
        table.add_row(key, *(run.data.params.get(key, "") for run in runs))
    for key in numbers:
        values = (run.data.metrics.get(key) for run in runs)
        name = key.removeprefix("test/").replace("/", ": ")
        table.add_row(name, *("" if value is None else number(value) for value in values))
    Console().print(table)


def print_promotion(places: Places, domain: str, run: str | None) -> None:
    """Candidate and champion side by side, and which of them is the champion now.

    Raises:
        ConvoyError: the candidate is not better.
    """
    from flows.champions import promote, rows

    verdict = promote(places, domain, run)
    table = Table("metric", "candidate", "champion", "strongest baseline", "better", "cases")
    for row in rows(verdict):
        table.add_row(*row)
    console = wide_console()
    console.print(table)
    for remark in verdict.remarks:
        console.print(f"note: {remark}", markup=False)
    if not verdict.is_promoted:
        raise ConvoyError(
            f"{domain}: run {verdict.run[:8]} does not beat the champion, version "
            f"{verdict.version} stays"
        )
    console.print(f"{domain}: run {verdict.run[:8]} is the champion, version {verdict.version}")


def print_health(places: Places) -> None:
    """Versions, device, kernels, servers, locks, records, disk."""
    import torch

    from flows.services import MLFLOW, PREFECT
    from shared_layers import kernels_info

    table = Table("what", "state", show_header=False)
    table.add_row("python", sys.version.split()[0])
    for name in _SHOWN:
        try:
            table.add_row(name, version(name))
        except PackageNotFoundError:
            table.add_row(name, "missing")
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    table.add_row("device", f"{gpu}, {torch.get_num_threads()} threads")
    for kernel, forms in kernels_info().items():
        table.add_row(f"kernel {kernel}", "\n".join(f"{k}: {v}" for k, v in forms.items()))
    for service in (PREFECT, MLFLOW):
        live = service.running(places)
        table.add_row(f"{service.name} server", live["url"] if live else "not running")
    table.add_row("mlflow store", tracking_uri(places))
    for path in sorted(places.locks.glob("*.lock")):
        if is_held(path):
            table.add_row(f"lock {path.stem}", holder(path))
    dead = [spool for spool in spools(places) if was_killed(spool)]
    table.add_row("killed runs", f"{len(dead)} to close: run `convoy sync`" if dead else "none")
    free = shutil.disk_usage(places.root).free
    table.add_row("free disk", f"{free / 1e9:.1f} GB")
    Console().print(table)
