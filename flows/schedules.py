"""Schedules from one file, served by one process: cron and interval, through Prefect."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator

from domains.errors import ParameterError
from domains.params import Section
from flows import parameters
from flows.settings import Places


class Schedule(Section):
    """One entry of the schedules file."""

    name: str = Field(min_length=1, description="shown on the Prefect page")
    cron: str | None = Field(None, description="five fields, e.g. '0 2 * * *'")
    every_minutes: float | None = Field(None, gt=0, description="interval in minutes")
    timezone: str = Field("UTC", description="of the cron fields, e.g. Europe/Berlin")
    domains: list[str] = Field(default_factory=list, description="empty = all")
    overrides: list[str] = Field(default_factory=list, description="key=value of params.yaml")
    paper: bool = Field(False, description="paper-size values")

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
    schedules = []
    for number, entry in enumerate(entries, 1):
        try:
            schedule = Schedule.model_validate(entry)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ParameterError(f"{path}, entry {number}: {where} {first['msg']}") from None
        parameters.choose(known, schedule.domains)
        schedules.append(schedule)
    return schedules


def serve(places: Places, path: Path) -> None:
    """Serve the schedules until interrupted; runs due at the same time go one after another."""
    schedules = read_schedules(places, path)
    from flows.services import ensure_prefect

    os.environ["PREFECT_API_URL"] = ensure_prefect(places)
    os.environ["CONVOY_ROOT"] = str(places.root)
    from prefect import serve as serve_deployments

    from flows.prefect_flow import convoy

    deployments: list[Any] = [
        convoy.to_deployment(
            name=schedule.name,
            schedule=clock(schedule),
            parameters={
                "domains": schedule.domains,
                "overrides": schedule.overrides,
                "paper": schedule.paper,
            },
        )
        for schedule in schedules
    ]
    serve_deployments(*deployments, limit=1)


def clock(schedule: Schedule) -> Any:
    """Prefect's form of the entry's cron or interval.

    Raises:
        ParameterError: cron fields or a timezone that Prefect cannot read.
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
