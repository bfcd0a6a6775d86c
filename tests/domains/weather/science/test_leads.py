"""Leads and channels that are scored."""

import pytest

from domains.errors import DataError
from domains.weather.science.leads import headline_channel, scored_leads, steps_per_day


@pytest.mark.parametrize(
    ("channels", "wanted", "expected"),
    [
        (["u850", "t850", "z500"], None, "z500"),
        (["10u", "msl", "2t"], None, "2t"),
        (["u850", "v850"], None, "u850"),
        (["u850", "z500"], "u850", "u850"),
    ],
)
def test_the_headline_is_the_first_usual_channel_that_is_there(channels, wanted, expected):
    assert headline_channel(channels, wanted) == expected


def test_leads_are_the_steps_up_to_the_last_day():
    section = {"lead_days": 0.5, "headline_lead_h": 0.3, "table_leads_h": [0.1, 11.9]}
    leads, table = scored_leads(section, 0.1)
    assert leads == pytest.approx([0.1 * n for n in range(1, 121)])
    assert table == [leads[0], leads[118]]


@pytest.mark.parametrize(("key", "lead_h"), [("headline_lead_h", 70.0), ("table_leads_h", 126.0),
                                             ("table_leads_h", 1.0)])  # fmt: skip
def test_a_lead_that_is_none_is_refused(key, lead_h):
    section = {"lead_days": 5.0, "headline_lead_h": 72.0, "table_leads_h": [24.0]}
    section[key] = [lead_h] if key == "table_leads_h" else lead_h
    with pytest.raises(DataError, match=f"evaluate.{key} {lead_h:g} is not a multiple"):
        scored_leads(section, 6.0)


@pytest.mark.parametrize(("step_h", "expected"), [(6, 4), (1, 24), (24, 1), (5, 0), (10, 0)])
def test_a_step_that_does_not_divide_the_day_has_no_24_hour_persistence(step_h, expected):
    assert steps_per_day(step_h) == expected
