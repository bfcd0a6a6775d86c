"""The Prefect flow: schedules, retries, logs, progress and tables; DVC stays the only cache."""

from __future__ import annotations

import os
import time
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.artifacts import (
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_logger
from prefect.runtime import flow_run
from prefect.states import Completed, Failed, State
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.utilities.urls import url_for

from domains.errors import ConvoyError
from flows.notify import tell
from flows.pipeline import MAX_THREADS, RETRY_DELAYS_S, Job, Request, open_job
from flows.runner import CrashError, Listener, StageResult
from flows.settings import Places, environment, find_places

_STATE_NAMES = {"restored": "Restored", "unchanged": "Unchanged"}


class PrefectListener:
    """Sends lines to the flow's log and progress to an artifact, and passes both on."""

    def __init__(self, inner: Listener | None) -> None:
        self._inner = inner
        self._bars: dict[str, Any] = {}

    def planned(self, stages: list[str]) -> None:
        if self._inner:
            self._inner.planned(stages)

    def started(self, stage: str) -> None:
        if self._inner:
            self._inner.started(stage)

    def line(self, stage: str, text: str) -> None:
        get_run_logger().info(text)
        if self._inner:
            self._inner.line(stage, text)

    def progress(self, stage: str, fraction: float, text: str) -> None:
        if stage not in self._bars:
            key = stage.replace("@", "-").replace("_", "-")
            self._bars[stage] = create_progress_artifact(0.0, key=key, description=stage)
        update_progress_artifact(self._bars[stage], round(100 * fraction, 1), description=text)
        if self._inner:
            self._inner.progress(stage, fraction, text)

    def ended(self, result: StageResult) -> None:
        if self._inner:
            self._inner.ended(result)


_console: Listener | None = None
"""Console of the process that called ``run_flow``; a scheduled run has none."""

_job: Job | None = None
"""The job of this process's flow run: a process runs one, and Prefect must not look inside."""

_done: dict[str, StageResult] = {}
"""Results by stage: states carry none, or Prefect would pickle them to its storage."""


def run_flow(places: Places, request: Request, listener: Listener) -> list[StageResult]:
    """Run ``request`` as a Prefect flow run of this process."""
    global _console
    _console = listener
    state: Any = convoy(
        domains=list(request.domains),
        overrides=list(request.overrides),
        paper=request.paper,
        force=request.force,
        workers=request.workers,
        return_state=True,
    )
    if _job is not None and _job.results:
        return _job.results
    state.result()  # raises what ended the flow before its first stage
    raise AssertionError(f"the flow ended in {state} without results")


def _crashed(task: Any, run: Any, state: State) -> bool:
    """Only a step that died without a word is worth another try."""
    try:
        state.result()
    except CrashError:
        return True
    except Exception:
        return False
    return False


@task(
    name="stage",
    task_run_name="{stage_name}",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=len(RETRY_DELAYS_S),
    retry_delay_seconds=list(RETRY_DELAYS_S),
    retry_jitter_factor=0.2,
    retry_condition_fn=_crashed,
)
def run_stage_task(stage_name: str) -> Any:
    """One stage of the DAG."""
    assert _job is not None
    stage = next(stage for stage in _job.plan if stage.name == stage_name)
    result = _done[stage_name] = _job.run(stage)
    return Completed(name=_STATE_NAMES.get(result.outcome, "Completed"))


def _name() -> str:
    """Name of the flow run: its domains."""
    return ", ".join(flow_run.get_parameters().get("domains") or ["all domains"])


_threads: Any = ThreadPoolTaskRunner(max_workers=MAX_THREADS)


def _tell(flow: Any, flow_run: Any, state: State) -> None:
    """Tell the schedule's web address; Prefect calls it when a run has failed or crashed."""
    if address := flow_run.parameters.get("notify"):
        page = url_for("flow-run", obj_id=flow_run.id) or ""
        reason = state.message or "no reason given"
        if trouble := tell(address, flow_run.name, state.type.value, reason, page):
            get_logger().warning(trouble)


_hooks: Any = [_tell]


@flow(
    name="convoy",
    flow_run_name=_name,
    task_runner=_threads,
    persist_result=False,
    validate_parameters=True,
    on_failure=_hooks,
    on_crashed=_hooks,
)
def convoy(
    domains: list[str] | None = None,
    overrides: list[str] | None = None,
    paper: bool = False,
    force: bool = False,
    workers: int | None = None,
    retries: int = 0,
    retry_minutes: float = 10.0,
    notify: str | None = None,
) -> Any:
    """Bring the named domains (default: all) and the report up to date.

    A try after a failure runs only what is still stale.
    """
    places = find_places()
    os.environ.update(environment(places))
    os.environ["CONVOY_FLOW_RUN"] = str(flow_run.get_id() or "")
    os.environ["CONVOY_FLOW_URL"] = str(flow_run.get_flow_run_ui_url() or "")
    request = Request(domains or (), overrides or (), paper, force, workers)
    results = _once(places, request)
    for number in range(1, retries + 1):
        if not _failures(results):
            break
        get_run_logger().warning(
            f"{_failures(results)}; try {number} of {retries} in {retry_minutes:g} minutes"
        )
        time.sleep(60 * retry_minutes)
        results = _once(places, request)
    if failures := _failures(results):
        return Failed(message=failures)
    return Completed()


def _once(places: Places, request: Request) -> list[StageResult]:
    """One walk over the plan, and its table."""
    global _job
    with open_job(places, request, PrefectListener(_console)) as _job:
        results = _job.results = _walk(_job)
    table = [
        {"stage": r.stage, "outcome": r.outcome, "seconds": round(r.seconds, 1)} for r in results
    ]
    create_table_artifact(table, key="stages", description="What this run did")
    if _console is None:  # a scheduled run; a typed one does it when it ends
        from flows.report import refresh_report

        refresh_report(places)
    return results


def _failures(results: list[StageResult]) -> str:
    """What failed and why, in one line; empty when nothing did."""
    return "; ".join(f"{r.stage}: {r.error}" for r in results if r.outcome == "failed")


def _walk(job: Job) -> list[StageResult]:
    todo = {stage.name for stage in job.todo()}
    futures: dict[str, Any] = {}
    results: dict[str, StageResult] = {}
    for stage in job.plan:
        if stage.name not in todo:
            results[stage.name] = StageResult(stage.name, "unchanged", 0.0)
            continue
        before = [futures[name] for name in stage.upstream if name in futures]
        if not stage.domain:  # the report is written whatever failed
            for future in before:
                future.wait()
            before = []
        futures[stage.name] = run_stage_task.submit(stage.name, wait_for=before, return_state=False)
    for name, future in futures.items():
        future.wait()
        results[name] = _result(name, future.state)
        if results[name].outcome in ("failed", "skipped"):
            job.listener.ended(results[name])
    return [results[stage.name] for stage in job.plan]


def _result(name: str, state: State) -> StageResult:
    if state.is_completed():
        return _done[name]
    if state.is_pending():  # NotReady: a stage before it failed
        return StageResult(name, "skipped", 0.0, "a stage before it failed")
    try:
        state.result()
    except ConvoyError as error:
        return StageResult(name, "failed", 0.0, str(error))
    except BaseException as error:
        return StageResult(name, "failed", 0.0, f"{type(error).__name__}: {error}")
    raise AssertionError(f"{name} ended in {state}")
