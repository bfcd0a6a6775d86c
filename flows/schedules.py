"""Schedules from one file, served by one process: cron and interval, through Prefect."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import available_timezones

from pydantic import Field, ValidationError, field_validator, model_validator

from domains.errors import ParameterError
from domains.params import Section
from flows import parameters
from flows.settings import Places


class Schedule(Section):
    """One entry of the schedules file."""

    name: str = Field(min_length=1, description="shown on the Prefect page")
    cron: str | None = Field(None, description="five fields, e.g. '0 2 * * *'")
    every_minutes: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="interval in minutes"
    )
    timezone: str = Field("UTC", description="of the cron fields, e.g. Europe/Berlin")
    domains: list[str] = Field(default_factory=list, description="empty = all")
    overrides: list[str] = Field(default_factory=list, description="key=value of params.yaml")
    paper: bool = Field(False, description="paper-size values")
    overlap: Literal["wait", "skip"] = Field(
        "wait", description="a run that is due while the last one goes on waits, or is left out"
    )
    catch_up: bool = Field(
        False, description="runs missed while nothing was serving: one at once, or none"
    )
    retries: int = Field(0, ge=0, le=20, description="further tries of a run that failed")
    retry_minutes: float = Field(10, ge=0, description="minutes before each of them")
    notify: str | None = Field(
        None, description="web address told of failures, or $NAME of a variable that holds it"
    )

    @field_validator("timezone")
    @classmethod
    def _is_a_timezone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"expected a name such as Europe/Berlin, found {value!r}")
        return value

    @field_validator("notify")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value and not re.match(r"https?://\S+$|\$\w+$", value):
            raise ValueError(f"expected http://..., https://... or $NAME, found {value!r}")
        return value

    @model_validator(mode="after")
    def _one_clock(self) -> Schedule:
        if (self.cron is None) == (self.every_minutes is None):
            raise ValueError("give either cron or every_minutes")
        return self


def read_schedules(places: Places, path: Path) -> list[Schedule]:
    """The checked entries of ``path``.

    Raises:
        ParameterError: names the entry and the key.
    """
    if not path.is_file():
        raise ParameterError(f"{path}: no such file; infra/schedules.yaml is an example")
    entries = parameters.read(path).get("schedules")
    if not isinstance(entries, list) or not entries:
        raise ParameterError(f"{path}: expected a list under `schedules`")
    known = parameters.load(places)
    schedules: list[Schedule] = []
    for number, entry in enumerate(entries, 1):
        where = f"{path}, entry {number}"
        try:
            schedule = Schedule.model_validate(entry)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise ParameterError(f"{where}: {key} {first['msg']}") from None
        parameters.choose(known, schedule.domains)
        parameters.override(places, schedule.overrides, dry=True)
        if schedule.name in {one.name for one in schedules}:
            raise ParameterError(f"{where}: a second schedule {schedule.name!r}; rename one")
        variable = (schedule.notify or "").removeprefix("$")
        if variable != (schedule.notify or "") and not os.environ.get(variable):
            raise ParameterError(f"{where}: notify: the variable {variable} is not set")
        schedules.append(schedule)
    return schedules


def serve(places: Places, path: Path) -> None:
    """Serve the schedules until interrupted.

    Runs of different schedules may go on at the same time: those of one domain wait for each
    other, and trainings wait for a free device.
    """
    schedules = read_schedules(places, path)
    from flows.services import ensure_prefect

    os.environ["PREFECT_API_URL"] = ensure_prefect(places)  # Prefect reads it when it is imported
    from prefect import serve as serve_deployments

    from flows.missed_runs import settle

    clocks = [clock(schedule) for schedule in schedules]
    deployments = [deployment(one, when) for one, when in zip(schedules, clocks, strict=True)]
    for schedule, when, made in zip(schedules, clocks, deployments, strict=True):
        if settle(made.apply(), when, schedule.catch_up):
            print(f"{schedule.name}: catching up on what was missed", flush=True)
    # room for runs that are only started to wait or to be left out: the overlap policy decides
    serve_deployments(*deployments, limit=2 * len(schedules))


def deployment(schedule: Schedule, when: Any) -> Any:
    """The schedule as Prefect deploys it; at most one run of it goes on at a time."""
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy

    from flows.prefect_flow import convoy

    collision = ConcurrencyLimitStrategy.ENQUEUE
    if schedule.overlap == "skip":
        collision = ConcurrencyLimitStrategy.CANCEL_NEW
    return convoy.to_deployment(
        name=schedule.name,
        schedule=when,
        concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=collision),
        parameters={
            **{key: getattr(schedule, key) for key in ("domains", "overrides", "paper")},
            **{key: getattr(schedule, key) for key in ("retries", "retry_minutes", "notify")},
        },
    )


def clock(schedule: Schedule) -> Any:
    """Prefect's form of the entry's cron or interval.

    Raises:
        ParameterError: cron fields that Prefect cannot read.
    """
    from prefect.schedules import Cron, Interval

    try:
        if schedule.cron is not None:
            return Cron(schedule.cron, timezone=schedule.timezone)
        assert schedule.every_minutes is not None
        return Interval(timedelta(minutes=schedule.every_minutes), timezone=schedule.timezone)
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise ParameterError(f"schedule {schedule.name}: {reason}") from None
