"""The flow: one staleness check, then one task for each stale stage, in the order of the DAG.

``run`` is what the command line calls; ``convoy`` is the Prefect flow that schedules run.  Both
walk the same plan with the same ``run_stage``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import BoundedSemaphore

from domains.errors import ConvoyError
from flows import parameters
from flows.dag import Stage, read_plan
from flows.locks import lock
from flows.results import note_failures
from flows.runner import CrashError, Listener, Processes, StageResult, run_stage
from flows.settings import Places
from flows.tracking import Record

RETRY_DELAYS_S = (10, 60)
"""Waits before a crashed step is tried again; a step that said what is wrong is not."""


MAX_THREADS = 64
"""Threads that wait for stages; how many stages run at once is ``Request.workers``."""


@dataclass
class Request:
    """What is to be run.

    Args:
        domains: names; empty for all.
        overrides: ``key=value`` for ``params.yaml``.
        paper: apply the domains' paper-size values first.
        force: run every stage even if nothing changed.
        workers: stages at the same time; ``None``: one more than cores, for a stage that starts or
            is put away leaves its core idle for seconds.
    """

    domains: Sequence[str] = ()
    overrides: Sequence[str] = ()
    paper: bool = False
    force: bool = False
    workers: int | None = None


@dataclass
class Job:
    """One run in progress: the plan and what its stages need."""

    places: Places
    request: Request
    plan: list[Stage]
    listener: Listener
    processes: Processes
    extra: dict[str, dict[str, str]]
    """Environment of the steps, by domain."""
    results: list[StageResult] = field(default_factory=list)
    """One for each stage of the plan, when it is done."""

    def __post_init__(self) -> None:
        workers = self.request.workers or len(os.sched_getaffinity(0)) + 1
        self._slots = BoundedSemaphore(workers)

    def todo(self) -> list[Stage]:
        """The stages to run; a forced run takes all."""
        return [stage for stage in self.plan if stage.stale or self.request.force]

    def run(self, stage: Stage) -> StageResult:
        """Run one stage when there is a free worker; a report needs something evaluated."""
        if not stage.domain and not list(self.places.outputs.glob("evaluation/*/summary.json")):
            return StageResult(stage.name, "skipped", 0.0, "nothing is evaluated yet")
        extra = self.extra.get(stage.domain, {})
        with self._slots:
            force = self.request.force or stage.forced
            return run_stage(self.places, stage.name, self.listener, self.processes, extra, force)


@contextmanager
def open_job(places: Places, request: Request, listener: Listener) -> Iterator[Job]:
    """Wait for other runs of the same domains, apply overrides, and make the plan."""
    known = parameters.load(places)
    domains = parameters.choose(known, request.domains)
    overrides = wanted_overrides(places, request)
    named = {pair.partition(".")[0] for pair in overrides} & set(known)
    with ExitStack() as stack:
        for domain in sorted({*domains, *named}):

            def tell(who: str, domain: str = domain) -> None:
                listener.line("", f"another run is at {domain} ({who}); waiting for it")

            stack.enter_context(lock(places.locks / f"run_{domain}.lock", on_wait=tell))
        if overrides:  # not before: a run in progress reads params.yaml for each of its stages
            parameters.override(places, overrides)
        job = Job(places, request, read_plan(places, domains), listener, Processes(), {})
        listener.planned([stage.name for stage in job.todo()])
        with parent_records(job):
            try:
                yield job
            except BaseException:
                job.processes.kill()
                raise
        note_failures(places, job.results)


def wanted_overrides(places: Places, request: Request) -> list[str]:
    """The paper's values, where they are asked for, then the request's own."""
    if not request.paper:
        return list(request.overrides)
    domains = parameters.choose(parameters.load(places), request.domains)
    paper = [pair for name in domains for pair in parameters.paper_overrides(places, name)]
    return [*paper, *request.overrides]


@contextmanager
def parent_records(job: Job) -> Iterator[None]:
    """An MLflow parent run in each domain's experiment that trains or evaluates."""
    names = {stage.domain for stage in job.todo() if stage.name.startswith(("train@", "evaluate@"))}
    key = f"flow-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    records = {}
    flow = {
        tag: os.environ.get(variable, "")
        for tag, variable in (
            ("prefect.flow_run_id", "CONVOY_FLOW_RUN"),
            ("prefect.flow_run_url", "CONVOY_FLOW_URL"),
        )
    }
    for name in sorted(names):
        record = Record(job.places, name, key)
        record.open(f"flow {key[5:20]}", params={}, tags={"convoy.kind": "flow", **flow})
        records[name] = record
        job.extra[name] = {"CONVOY_PARENT_RUN": str(record.folder)}
    status = "FAILED"
    try:
        yield
        failed = any(result.outcome in ("failed", "skipped") for result in job.results)
        status = "FAILED" if failed else "FINISHED"
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        for record in records.values():
            record.close(status)


def up_to_date(places: Places, domains: Sequence[str]) -> list[StageResult]:
    """Results of a run with nothing to do; empty when a stage is stale.

    It saves a typed ``convoy run`` the start of a server and an empty flow run.
    """
    plan = read_plan(places, parameters.choose(parameters.load(places), domains))
    if any(stage.stale for stage in plan):
        return []
    results = [StageResult(stage.name, "unchanged", 0.0) for stage in plan]
    note_failures(places, results)
    return results


def run(places: Places, request: Request, listener: Listener, server: bool) -> list[StageResult]:
    """Bring the requested domains and the report up to date.

    Args:
        places: the checkout.
        request: what to run.
        listener: told how it goes.
        server: through Prefect, or the same plan without it.

    Returns:
        One result for each stage of the plan; failed and skipped ones are among them.
    """
    if not server:
        with open_job(places, request, listener) as job:
            job.results = walk(job, job.run)
            return job.results
    from flows.prefect_flow import run_flow

    return run_flow(places, request, listener)


def walk(job: Job, run_one: Callable[[Stage], StageResult]) -> list[StageResult]:
    """Run the stale stages of the plan, several at a time, each after those it needs.

    A failure skips what depends on it and nothing else; the report is written in any case.
    """
    todo = {stage.name for stage in job.todo()}
    results: dict[str, StageResult] = {}
    futures: dict[str, Future] = {}

    def attempt(stage: Stage) -> StageResult:
        before = [futures[name].result() for name in stage.upstream if name in futures]
        broken = [result.stage for result in before if result.outcome in ("failed", "skipped")]
        if broken and stage.domain:
            skipped = StageResult(stage.name, "skipped", 0.0, f"{broken[0]} failed")
            job.listener.ended(skipped)
            return skipped
        return guarded(job, stage, run_one)

    with ThreadPoolExecutor(MAX_THREADS) as pool:
        for stage in job.plan:
            if stage.name in todo:
                futures[stage.name] = pool.submit(attempt, stage)
        try:
            for name, future in futures.items():
                results[name] = future.result()
        except BaseException:
            job.processes.kill()
            raise
    return [
        results.get(stage.name) or StageResult(stage.name, "unchanged", 0.0) for stage in job.plan
    ]


def guarded(job: Job, stage: Stage, run_one: Callable[[Stage], StageResult]) -> StageResult:
    """Run a stage, again after a crash, and turn its failure into a result."""
    started = time.monotonic()
    for delay in (*RETRY_DELAYS_S, None):
        try:
            return run_one(stage)
        except CrashError as error:
            if delay is None or job.processes.closed:
                failure = str(error)
                break
            job.listener.line(stage.name, f"{error}; trying again in {delay} s")
            time.sleep(delay)
        except ConvoyError as error:
            failure = str(error)
            break
    result = StageResult(stage.name, "failed", time.monotonic() - started, failure)
    job.listener.ended(result)
    return result
