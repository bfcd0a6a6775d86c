"""Pictures agree with the page beside them."""

import numpy as np
import pandas as pd
import pytest

from domains.contract import Metric
from domains.imu_attitude.figures import _whose, picks
from flows.domain_page import _spread


@pytest.mark.parametrize("errors", [[0.5, 0.2, 0.9, 0.3], [0.5, np.nan, 0.2, 0.4], [1.0], [2, 1]])
def test_the_worst_median_and_best_case_are_those_of_the_report(errors):
    cases = pd.DataFrame({"case": list("abcd")[: len(errors)], "error": errors})
    metric = Metric("error", 1.0, "deg", "lower", len(errors), {}, "")
    page = {word: name for word, name, _ in _spread(cases, metric)}
    assert {word: cases["case"][row] for word, row in picks(cases, "error").items()} == page


def test_a_title_says_where_ours_is_the_filters_own_answer():
    error = np.array([0.1, np.nan, 0.3])
    same = {"offline": error, "offline_vqf": error + 1e-8, "causal": error, "vqf": error + 0.1}
    assert _whose("offline", same) == "; ours is offline VQF's own answer here"
    assert _whose("causal", same) == ""
