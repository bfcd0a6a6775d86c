"""Splits share no vessel and no time."""

from collections import Counter

import numpy as np
import pytest
from pydantic import ValidationError

from domains.ais_trajectories.params import SplitParams
from domains.ais_trajectories.sources.splits import Splits

SHARES = {
    "train_vessels": 0.5,
    "validate_vessels": 0.2,
    "train_time": 0.6,
    "validate_time": 0.2,
}


@pytest.fixture
def messages():
    random = np.random.default_rng(0)
    vessel = random.integers(200_000_000, 200_000_100, 20_000)
    return vessel, 1.7e9 + random.uniform(0, 30 * 86400, 20_000)


def split(vessel, time_s, seed: int = 0):
    hours = Counter((time_s // 3600).astype(int).tolist())
    return Splits(Counter(vessel.tolist()), hours, SplitParams(**SHARES), seed)(vessel, time_s)


def test_no_vessel_is_in_two_splits_and_each_lies_later_than_the_one_before(messages):
    vessel, time_s = messages
    part = split(vessel, time_s)
    vessels = [set(vessel[part == number]) for number in range(3)]
    assert [len(found) for found in vessels] == [50, 20, 30]
    assert not vessels[0] & vessels[1]
    assert not (vessels[0] | vessels[1]) & vessels[2]
    for number in (0, 1):
        assert time_s[part == number].max() < time_s[part == number + 1].min()


def test_shares_of_time_are_shares_of_messages(messages):
    vessel, time_s = messages
    time_s = np.append(time_s[:-1], 0.0)  # a clock that stands at 1970 moves no limit
    part = split(vessel, time_s)
    train = np.isin(vessel, vessel[part == 0])
    assert (part[train] == 0).mean() == pytest.approx(0.6, abs=0.02)


def test_another_seed_draws_other_vessels_and_the_same_seed_the_same(messages):
    vessel, time_s = messages
    np.testing.assert_array_equal(split(vessel, time_s), split(vessel, time_s))
    assert (split(vessel, time_s, seed=1) != split(vessel, time_s)).any()


def test_shares_that_leave_nothing_to_test_are_refused():
    with pytest.raises(ValidationError, match=r"train_time \+ validate_time = 1, expected below 1"):
        SplitParams(**{**SHARES, "validate_time": 0.4})
