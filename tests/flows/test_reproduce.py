"""The recorded numbers come out again from a clean clone at full sample size."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.reproduce import REFERENCE, differences, metrics_of
from tests.checkout import make_suite

TWO = ("imu_attitude", "fake_news")


@pytest.mark.timeout(1500)
def test_two_domains_give_their_recorded_numbers_again(tmp_path: Path) -> None:
    reference = json.loads(REFERENCE.read_text())
    clone = make_suite(tmp_path / "clone", TWO, tiny=False)
    clone.convoy("run", "--no-server", timeout=1400)
    for domain in TWO:
        _, beyond = differences(reference[domain], metrics_of(clone.root, domain))
        assert beyond == []


def test_a_difference_is_named_with_both_numbers() -> None:
    old = {"error": {"ours": 1.0, "rival": 2.0}}
    assert differences(old, old) == (True, [])
    assert differences(old, {"error": {"ours": 1.05, "rival": 2.0}}) == (False, [])
    is_equal, beyond = differences(old, {"error": {"ours": 1.2, "rival": 2.0}})
    assert (is_equal, beyond) == (False, ["error, ours: expected 1, found 1.2"])
    nan = {"error": {"ours": float("nan"), "rival": 2.0}}
    assert differences(old, nan)[1] == ["error, ours: expected 1, found nan"]
    assert differences(old, {"error": {"ours": 1.0}})[1][0].startswith("error: expected ['ours'")
