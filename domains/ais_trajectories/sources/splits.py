"""Which vessels and which time teach, choose and test."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from domains.ais_trajectories.params import SplitParams
from domains.ais_trajectories.science.storage import SPLITS, UNUSED

_HOUR_S = 3600.0
_ODD = 0x9E3779B97F4A7C15  # splitmix64, S. Vigna 2015


class Splits:
    """Vessels in three parts by a hash, time in three parts by the share of messages.

    A message belongs to a split if its vessel and its time both do; else it is unused.

    Args:
        vessels: number of messages of each.
        hours: number of messages in each hour since 1970.
        shares: of the parts.
        seed: of the hash.
    """

    def __init__(
        self, vessels: Counter[int], hours: Counter[int], shares: SplitParams, seed: int
    ) -> None:
        known = np.array(sorted(vessels), dtype=np.int64)
        order = np.argsort(_hash(known, seed), kind="stable")
        place = np.empty(len(known))
        place[order] = (np.arange(len(known)) + 0.5) / max(len(known), 1)
        self._known = known
        limits = np.cumsum([shares.train_vessels, shares.validate_vessels])
        self._part = np.searchsorted(limits, place)
        spread = np.cumsum([hours[hour] for hour in sorted(hours)])
        cuts = np.cumsum([shares.train_time, shares.validate_time]) * (
            spread[-1] if len(spread) else 0
        )
        hour = np.array(sorted(hours), dtype=np.float64)
        self.cuts_s = hour[np.searchsorted(spread, cuts)] * _HOUR_S + _HOUR_S

    def __call__(self, vessel: NDArray, time_s: NDArray) -> NDArray:
        """Split (N,) of each message: a place in ``SPLITS``, or their number if unused."""
        by_vessel = self._part[np.searchsorted(self._known, vessel)]
        by_time = np.searchsorted(self.cuts_s, time_s, side="right")
        return np.where(by_vessel == by_time, by_vessel, len(SPLITS))

    @staticmethod
    def names(split: NDArray) -> NDArray:
        """The words for places of ``__call__``."""
        return np.array([*SPLITS, UNUSED], dtype=object)[split]


def _hash(vessel: NDArray, seed: int) -> NDArray[np.uint64]:
    mixed = vessel.astype(np.uint64) + np.uint64((seed + 1) * _ODD % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))
