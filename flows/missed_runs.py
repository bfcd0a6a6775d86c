"""What came due while no process served a schedule: made up for by one run, or let go.

``convoy schedule`` that is stopped in order takes its runs off Prefect's list; one that was killed
leaves them there as late, and all would start at once at the next start.  A run brings a domain up
to date whatever was missed, so one stands for all.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.server.schemas.schedules import CronSchedule, IntervalSchedule


def settle(deployment: UUID, clock: Any, catch_up: bool) -> bool:
    """Take late runs off the list; start one for those that were missed if ``catch_up`` says so.

    Args:
        deployment: of the schedule.
        clock: the schedule's ``prefect.schedules.Cron`` or ``Interval``.
        catch_up: whether to make up for what was missed.

    Returns:
        Whether a run was started.
    """
    now = datetime.now(UTC)
    with get_client(sync_client=True) as client:
        due = _due(client, deployment, now, StateType.SCHEDULED)
        late = [run for run in due if run.auto_scheduled]
        last = [run.expected_start_time for run in _due(client, deployment, now)[:1]]
        for run in late:
            client.delete_flow_run(run.id)
        missed = bool(late) or any(time and next_time(clock, time) <= now for time in last)
        if missed and catch_up:
            client.create_flow_run_from_deployment(deployment)
        return missed and catch_up


def next_time(clock: Any, last: datetime) -> datetime:
    """When the schedule is due first after ``last``."""
    schedule: Any = (
        CronSchedule(cron=clock.cron, timezone=clock.timezone)
        if clock.cron
        else IntervalSchedule.model_validate({"interval": clock.interval, "anchor_date": last})
    )
    return next(time for time in asyncio.run(schedule.get_dates(2, start=last)) if time > last)


def _due(
    client: SyncPrefectClient, deployment: UUID, now: datetime, state: StateType | None = None
) -> list[FlowRun]:
    """Runs of the deployment that were due before ``now``, the last one first."""
    wanted: dict[str, Any] = {
        "deployment_id": {"any_": [deployment]},
        "expected_start_time": {"before_": now},
    }
    if state:
        wanted["state"] = {"type": {"any_": [state]}}
    return client.read_flow_runs(
        flow_run_filter=FlowRunFilter.model_validate(wanted),
        sort=FlowRunSort.EXPECTED_START_TIME_DESC,
    )
