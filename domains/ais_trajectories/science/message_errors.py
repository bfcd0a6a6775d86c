"""How far a forecast message is from the one that came, variable by variable.

Legend: N windows of T messages and the one that followed, V = 6 quantities: km east and north of
the last message, speed in knots, sine and cosine of the course, minutes since the message before.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from domains.ais_trajectories.science import geodesy
from domains.ais_trajectories.science.messages import MessageWindows
from domains.ais_trajectories.science.scores import relative_percentage_difference

Array = NDArray[np.float64]

VARIABLES = ("longitude", "latitude", "speed", "course", "interval")
"""Contents of a message: degrees, degrees, knots, degrees, minutes."""


def plain_contents(cut: MessageWindows) -> dict[str, Array]:
    """Forecasts without training, (N, V): the last message again, and dead reckoning from it."""
    speed, course = np.nan_to_num(cut.sog_kn[:, -2]), np.deg2rad(np.nan_to_num(cut.cog_deg[:, -2]))
    interval = cut.interval_min[:, -2]
    way = speed * geodesy.KM_PER_NAUTICAL_MILE * interval / 60
    zero = np.zeros_like(way)
    rest = [speed, np.sin(course), np.cos(course), interval]
    return {
        "persistence": np.stack([zero, zero, *rest], axis=-1),
        "dead_reckoning": np.stack([way * np.sin(course), way * np.cos(course), *rest], axis=-1),
    }


def described(content: Array, cut: MessageWindows) -> dict[str, Array]:
    """Content (N, V) as a message says it: the ``VARIABLES``, (N,) each."""
    longitude, latitude = geodesy.from_local_km(
        content[:, 0], content[:, 1], cut.longitude[:, -2], cut.latitude[:, -2]
    )
    return {
        "longitude": longitude,
        "latitude": latitude,
        "speed": np.maximum(content[:, 2], 0.0),
        "course": geodesy.wrap_course(np.rad2deg(np.arctan2(content[:, 3], content[:, 4]))),
        "interval": np.maximum(content[:, 5], 0.0),
    }


def errors(
    answers: Mapping[str, Mapping[str, Array]], cut: MessageWindows
) -> dict[str, dict[str, Array]]:
    """Method -> variable -> relative percentage difference (N,), NaN where the truth is unknown.

    Also ``all``, the mean over the known variables of a message, and ``distance_km``.  Courses are
    compared without the jump at north: 359° and 1° as 359 and 361; longitudes on the truth's side
    of 180°.
    """
    true = {
        "longitude": cut.longitude[:, -1],
        "latitude": cut.latitude[:, -1],
        "speed": cut.sog_kn[:, -1],
        "course": cut.cog_deg[:, -1],
        "interval": cut.interval_min[:, -1],
    }
    found = {}
    for method, answer in answers.items():
        nearest = dict(answer)
        turn = (answer["course"] - true["course"] + 180) % 360 - 180
        lift = np.where(true["course"] + turn < 0, 360.0, 0.0)
        nearest["course"] = true["course"] + turn + lift
        nearest["longitude"] = geodesy.nearest_longitude(answer["longitude"], true["longitude"])
        asked = {**true, "course": true["course"] + lift}
        one = {
            name: relative_percentage_difference(asked[name], nearest[name]) for name in VARIABLES
        }
        one["all"] = np.nanmean(np.stack(list(one.values())), axis=0)
        one["distance_km"] = geodesy.haversine_km(
            answer["longitude"], answer["latitude"], true["longitude"], true["latitude"]
        )
        found[method] = one
    return found


def by_track(
    found: Mapping[str, Mapping[str, Array]], cut: MessageWindows, ours: str
) -> pd.DataFrame:
    """One row per track: means over its windows of ``all`` and ``distance_km``."""
    table = pd.DataFrame({"case": [f"track {number}" for number in cut.track_id]})
    for name, variable in (("rpd_all", "all"), ("distance", "distance_km")):
        for method, one in found.items():
            table[name if method == ours else f"{name}:{method}"] = one[variable]
    return table.groupby("case", sort=False).mean().reset_index()
