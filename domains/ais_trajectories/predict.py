"""A trained model and the user's messages to the paths its vessels will take.

Legend: B vessels, L fixes in, K paths of each vessel, H steps out.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from domains.ais_trajectories.params import IngestParams, PredictParams
from domains.ais_trajectories.science.geodesy import nearest_longitude
from domains.errors import DataError
from domains.files import whole_file

_log = logging.getLogger(__name__)

OUTPUTS = (".geojson", ".json", ".parquet")
_EXAMPLE_STEPS = 72
_FIX = ("longitude", "latitude", "sog_kn", "cog_deg")


class PathModel(Protocol):
    """What a trained task of this domain can do."""

    network: str
    """``multipath`` or ``messages``."""
    context_steps: int
    """L: fixes that the model makes use of, ``step_min`` apart, the last one being now."""
    least_steps: int
    """Fixes that are enough."""
    region: tuple[float, float, float, float]
    """West, south, east, north of where it was trained, degrees; beyond ±180 across 180°."""
    horizon_steps: int
    """H: steps that it looks ahead."""
    step_min: float
    """Minutes between fixes, in and out."""

    def paths(
        self,
        longitude: NDArray,
        latitude: NDArray,
        sog_kn: NDArray,
        cog_deg: NDArray,
        ship_type: NDArray,
        num_paths: int = 1,
    ) -> tuple[NDArray, NDArray, NDArray]:
        """Longitude (B, K, H), latitude (B, K, H) in degrees, probability (B, K), best first.

        Context arrays are (B, least_steps to context_steps), ship_type (B,) is the AIS code;
        K ≤ num_paths.
        """

    def next_content(
        self,
        longitude: NDArray,
        latitude: NDArray,
        sog_kn: NDArray,
        cog_deg: NDArray,
        time_s: NDArray,
    ) -> dict[str, NDArray]:
        """Quantity -> (B,) in the next message of each vessel, from messages (B, N)."""


def predict(
    task: PathModel, input: Path | str, output: Path | str, **params: Mapping[str, Any]
) -> None:
    """Write the paths of the vessels in ``input`` to ``output``.

    A vessel's paths begin at the last even step of its newest track and are as many as
    ``evaluate.predict.paths`` asks for, the most probable first.  One row (feature) for each
    path: vessel, path (1, 2, …), probability, ship_type, start (UTC), step_min, and its points
    with their times; lines are cut at 180°.  Vessels whose newest track is shorter than the model
    needs are counted and left out.

    Args:
        task: a trained task.
        input: messages as ``ingest`` reads them, a file or a folder; cleaned in the same way.
        output: ends in .geojson, .json or .parquet (GeoParquet); appears whole or not at all.
        **params: the domain's block; ``ingest`` and ``evaluate.predict`` are read.

    Raises:
        DataError: the input cannot be used, no vessel was heard for long enough, the output has
            another ending, or the model forecasts messages, not paths.
    """
    from domains.ais_trajectories.sources.paths_file import write_geojson, write_geoparquet

    if task.network != "multipath":
        raise DataError(
            "ais_trajectories: the model forecasts the next message, not a path; set "
            "model.network: multipath and train again"
        )
    place = Path(output)
    if place.suffix.lower() not in OUTPUTS:
        raise DataError(f"{place}: cannot write this kind of file, expected {', '.join(OUTPUTS)}")
    settings = IngestParams.model_validate(params["ingest"])
    wanted = PredictParams.model_validate(params["evaluate"]["predict"])
    steps = task.least_steps, task.context_steps
    context = newest_tracks(str(input), settings, *steps, task.step_min)
    _warn_outside(context, task.region)
    longitude, latitude, probability = _paths_of(task, context, wanted.paths)
    write = write_geoparquet if place.suffix.lower() == ".parquet" else write_geojson
    with whole_file(place) as scratch:
        write(scratch, context, longitude, latitude, probability, task.step_min)


def _paths_of(
    task: PathModel, context: Mapping[str, NDArray], num_paths: int
) -> tuple[NDArray, NDArray, NDArray]:
    """``task.paths`` of contexts whose first points may be missing."""
    known = np.isfinite(context["longitude"]).sum(axis=1)
    rows, parts = [], []
    for length in np.unique(known):
        rows.append(np.flatnonzero(known == length))
        fixes = {name: context[name][rows[-1], -length:] for name in _FIX}
        kinds = context["ship_type"][rows[-1]]
        parts.append(task.paths(**fixes, ship_type=kinds, num_paths=num_paths))
    order = np.argsort(np.concatenate(rows))
    longitude, latitude, probability = (
        np.concatenate(part)[order] for part in zip(*parts, strict=True)
    )
    return longitude, latitude, probability


def _warn_outside(
    context: Mapping[str, NDArray], region: tuple[float, float, float, float]
) -> None:
    west, south, east, north = region
    longitude = nearest_longitude(context["longitude"][:, -1], (west + east) / 2)
    latitude = context["latitude"][:, -1]
    inside = (west <= longitude) & (longitude <= east) & (south <= latitude) & (latitude <= north)
    if not inside.all():
        _log.warning(
            "warning: ais_trajectories: %d of %d vessels are outside %.1f to %.1f° E, %.1f to "
            "%.1f° N, where the model was trained: where ships go there is unknown to it; train "
            "on messages of their waters",
            (~inside).sum(),
            len(inside),
            west,
            east,
            south,
            north,
        )


def newest_tracks(
    source: str, settings: IngestParams, least_steps: int, num_steps: int, step_min: float
) -> dict[str, NDArray]:
    """The last ``num_steps`` points of each vessel's newest track, or all if it is shorter.

    Returns:
        vessel, ship_type (B,); time_s, longitude, latitude, sog_kn, cog_deg (B, num_steps), NaN
        before the first point of a track that has ``least_steps`` or more.

    Raises:
        DataError: no vessel was heard for long enough.
    """
    from domains.ais_trajectories.sources.cleaner import Cleaner, told
    from domains.ais_trajectories.sources.messages import find_files

    parts: list[dict[str, NDArray]] = []
    num_vessels = 0
    with TemporaryDirectory() as scratch:
        cleaner = Cleaner(settings, Path(scratch), lambda rows, names: None)
        for rows in cleaner.buckets(cleaner.read(find_files(source))):
            num_vessels += len(np.unique(rows["vessel"]))
            parts.append(
                _last_points(rows, settings.tracks.gap_min, least_steps, num_steps, step_min)
            )
    context = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    num_left = len(context["vessel"])
    hours = least_steps * step_min / 60
    for sentence in (*cleaner.report.warnings, *_sentences(cleaner.report)):
        _log.warning("warning: ais_trajectories: %s", sentence)
    if num_left == 0:
        raise DataError(
            f"ais_trajectories: {source}: none of {num_vessels} vessels was heard for {hours:g} h "
            f"without a silence of {settings.tracks.gap_min:g} minutes up to its last message, "
            f"which the model needs; found {told(cleaner.report.counts)}; give a longer log"
        )
    if num_left < num_vessels:
        _log.warning(
            "warning: ais_trajectories: left out %d of %d vessels: heard for less than %g h",
            num_vessels - num_left,
            num_vessels,
            hours,
        )
    return context


def _sentences(report: Any) -> Iterator[str]:
    for name, num in (report.refused + report.flagged).items():
        if num:
            yield f"set aside {num} of the input's lines or messages: {name}"


def _last_points(
    rows: dict[str, NDArray], gap_min: float, least_steps: int, num_steps: int, step_min: float
) -> dict[str, NDArray]:
    from domains.ais_trajectories.science import tracks

    track = tracks.segment(rows["vessel"], rows["time_s"], gap_min)
    points = tracks.resample(track, rows, step_min)
    # the newest track of each vessel
    last_row = np.flatnonzero(np.append(rows["vessel"][1:] != rows["vessel"][:-1], True))
    first = np.searchsorted(points["track"], track[last_row])
    end = np.searchsorted(points["track"], track[last_row], side="right")
    is_long = end - first >= least_steps
    last_row, first, end = last_row[is_long], first[is_long], end[is_long]
    place = end[:, None] - num_steps + np.arange(num_steps)  # (B, L)
    known = place >= first[:, None]
    return {
        "vessel": rows["vessel"][last_row],
        "ship_type": rows["ship_type"][last_row],
        **{
            name: np.where(known, points[name][np.maximum(place, 0)], np.nan)
            for name in ("time_s", *_FIX)
        },
    }


def infer(task: PathModel, arrays: Mapping[str, NDArray]) -> dict[str, NDArray]:
    """Paths, or the content of the next messages, from fixes of some vessels.

    Args:
        task: a trained task.
        arrays: longitude, latitude in degrees, sog_kn, cog_deg, time_s (B, L) and ship_type (B,);
            for paths the fixes are ``step_min`` apart, at least ``least_steps``, and the last
            ``context_steps`` are used.

    Returns:
        ``longitude``, ``latitude`` (B, 1, H) and ``probability`` (B, 1) of the most probable path;
        or, of a model of messages, quantity -> (B,).

    Raises:
        DataError: an array is missing, too short, or not finite.
    """
    names = ("longitude", "latitude", "sog_kn", "cog_deg", "time_s", "ship_type")
    if missing := [name for name in names if name not in arrays]:
        raise DataError(f"ais_trajectories: {', '.join(missing)} missing, expected {names}")
    fixes = {name: np.asarray(arrays[name], dtype=np.float64) for name in names[:5]}
    shapes = {name: fix.shape for name, fix in fixes.items()}
    if len(set(shapes.values())) != 1 or fixes["longitude"].ndim != 2:
        raise DataError(f"ais_trajectories: arrays of shapes {shapes}, expected all (B, L)")
    if bad := [name for name, fix in fixes.items() if not np.isfinite(fix).all()]:
        raise DataError(f"ais_trajectories: {', '.join(bad)} not finite; leave such fixes out")
    if task.network == "messages":
        return task.next_content(**fixes)
    if fixes["longitude"].shape[1] < task.least_steps:
        raise DataError(
            f"ais_trajectories: {fixes['longitude'].shape[1]} fixes, expected at least "
            f"{task.least_steps}"
        )
    newest = {name: fixes[name][:, -task.context_steps :] for name in _FIX}
    kinds = np.asarray(arrays["ship_type"])
    longitude, latitude, probability = task.paths(**newest, ship_type=kinds, num_paths=1)
    return {"longitude": longitude, "latitude": latitude, "probability": probability}


def example_input(_: Any) -> dict[str, NDArray]:
    """Twelve hours of two simulated ships under way, as ``infer`` takes them."""
    from domains.ais_trajectories.sources.simulator import simulate_ships

    rows = 10 * np.arange(_EXAMPLE_STEPS)
    parts = []
    for ship in simulate_ships(seed=0, vessels=2, days=6.0):
        sails = np.flatnonzero(~ship.is_moored)
        parts.append((ship, min(int(sails[0]), len(ship.time_s) - int(rows[-1]) - 1) + rows))
    names = ("longitude", "latitude", "sog_kn", "cog_deg", "time_s")
    arrays = {name: np.stack([getattr(ship, name)[row] for ship, row in parts]) for name in names}
    return {**arrays, "ship_type": np.array([float(ship.ship_type) for ship, _ in parts])}
