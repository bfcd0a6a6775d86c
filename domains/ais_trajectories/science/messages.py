"""Messages as they came, in irregular steps: windows of some and the one that follows.

Legend: P messages, N windows, T messages seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domains.ais_trajectories.science.storage import read_table
from domains.ais_trajectories.science.windows import track_bounds
from domains.errors import DataError

_COLUMNS = ("track_id", "time_s", "longitude", "latitude", "sog_kn", "cog_deg")


@dataclass(frozen=True)
class MessageWindows:
    """T messages and the next one, T + 1 in each row.

    Args:
        track_id: (N,).
        time_s, longitude, latitude, sog_kn, cog_deg: (N, T + 1); NaN where not reported.
        interval_min: (N, T + 1) since the message before, of whatever window.
    """

    track_id: NDArray
    time_s: NDArray
    longitude: NDArray
    latitude: NDArray
    sog_kn: NDArray
    cog_deg: NDArray
    interval_min: NDArray

    def __len__(self) -> int:
        return len(self.track_id)


def cut_messages(
    dataset: Path, split: str, length: int, max_gap_min: float, stride: int
) -> MessageWindows:
    """Windows of a split without a silence longer than ``max_gap_min``.

    Raises:
        DataError: there is none.
    """
    table = read_table(dataset, "messages", columns=_COLUMNS, split=split)
    first, stop = track_bounds(table["track_id"])
    begin = np.repeat(first, stop - first)
    interval = np.diff(table["time_s"], prepend=table["time_s"][:1]) / 60
    rows = np.arange(len(begin))
    whole = rows - begin >= length + 1  # the first message of a track has no interval
    silences = np.concatenate([[0], np.cumsum(interval > max_gap_min)])
    silent = silences[rows + 1] - silences[np.maximum(rows - length, 0)]
    last = np.flatnonzero(whole & (silent == 0))
    last = last[(last - begin[last]) % stride == 0]
    if len(last) == 0:
        raise DataError(
            f"ais_trajectories: split {split} of {dataset} has no {length + 1} messages in a row "
            f"less than {max_gap_min:g} minutes apart; lower model.messages.length or raise "
            "model.messages.max_gap_min"
        )
    which = last[:, None] + np.arange(-length, 1)
    parts = {name: table[name][which] for name in _COLUMNS[1:]}
    return MessageWindows(table["track_id"][last], interval_min=interval[which], **parts)


def asked(
    longitude: NDArray,
    latitude: NDArray,
    sog_kn: NDArray,
    cog_deg: NDArray,
    time_s: NDArray,
    length: int,
) -> MessageWindows:
    """The newest ``length`` messages of each ship with a next one that is not known.

    Args:
        longitude, latitude, sog_kn, cog_deg, time_s: (N, ≥ length + 1).
        length: T.
    """

    def newest(values: NDArray) -> NDArray:
        part = np.asarray(values, np.float64)[:, -length:]
        return np.pad(part, ((0, 0), (0, 1)), constant_values=np.nan)

    interval = np.diff(np.asarray(time_s, np.float64), axis=1) / 60
    return MessageWindows(
        np.arange(len(longitude)),
        newest(time_s),
        newest(longitude),
        newest(latitude),
        newest(sog_kn),
        newest(cog_deg),
        newest(interval),
    )
