"""Dates in ``params.yaml`` and behind ``-S``, as YAML reads them."""

import pytest
from ruamel.yaml import YAML

from domains.weather.params import Params


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2018-01-31", "2018-01-31"),
        ("2018-01-31T06", "2018-01-31T06"),
        ("2018-01-31T06:00:00Z", "2018-01-31T06:00:00"),
        ("2018-01-31 06:00:00+02:00", "2018-01-31T04:00:00"),
        ("'2000-02-30'", "2000-02-30"),
        ("null", None),
    ],
)
@pytest.mark.parametrize(
    "key",
    ["ingest.start", "ingest.end", "ingest.split.validate_from", "ingest.split.test_from",
     "evaluate.predict.start"],
)  # fmt: skip
def test_a_date_needs_no_quotes(params, block, key, text, expected):
    place = params
    *path, last = key.split(".")
    for part in path:
        place = place[part]
    place[last] = YAML(typ="safe").load(text)
    found = Params(**{**block, **params}).model_dump(mode="json")
    for part in path:
        found = found[part]
    assert found[last] == expected


def test_a_number_is_no_date(params, block):
    params["ingest"]["start"] = 2018
    with pytest.raises(ValueError, match=r"ingest\.start"):
        Params(**{**block, **params})
