"""Groups are split whole, and a table that cannot be used is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from domains.contract import Card
from domains.errors import DataError
from domains.template_domain.ingest import ingest
from domains.template_domain.science.points import load_points


def test_no_group_is_in_two_splits(dataset: Path) -> None:
    card, _ = Card.load(dataset)
    assert {split: len(names) for split, names in card.splits.items()} == {
        "train": 6,
        "validate": 2,
        "test": 2,
    }
    assert len(set().union(*card.splits.values())) == 10
    assert set(load_points(dataset, "test")["group"]) == set(card.splits["test"])


def test_a_users_table_is_read_and_its_gaps_are_counted(tmp_path: Path, params: dict) -> None:
    rows = [(name, x, 2 * x) for name in "abcde" for x in (0.0, 1.0)]
    table = pd.DataFrame(rows, columns=["group", "x", "y"])
    table.loc[0, "y"] = float("nan")
    table.to_csv(tmp_path / "own.csv", index=False)
    card = ingest(str(tmp_path / "own.csv"), tmp_path, **params)
    assert card.counts == {"groups": 5, "points": 9}
    assert card.rejected == {"points without group, x or y": 1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("group,x\na,1\n", "column y is missing, found group, x"),
        ("group,x,y\na,1,high\n", "column y: 'high' is no number"),
        ("group,x,y\na,1,2\nb,1,2\n", "2 groups, expected at least 3"),
        ("", "expected a CSV table"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(
    tmp_path: Path, params: dict, text: str, words: str
) -> None:
    (tmp_path / "own.csv").write_text(text)
    with pytest.raises(DataError, match=r"^[^\n]*$") as caught:
        ingest(str(tmp_path / "own.csv"), tmp_path, **params)
    assert words in str(caught.value)


def test_public_says_what_to_do(tmp_path: Path, params: dict) -> None:
    with pytest.raises(DataError, match="no public data set yet; set source to sample"):
        ingest("public", tmp_path, **params)
