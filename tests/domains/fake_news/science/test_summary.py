"""Metrics, table and notes from verdicts that are known by hand."""

from __future__ import annotations

import numpy as np

from domains.fake_news.science.baselines import BASELINES
from domains.fake_news.science.calibration import Platt
from domains.fake_news.science.summary import case_rows, metrics_of, notes_on
from domains.fake_news.science.verdicts import OURS, Verdicts

LABELS = np.array([1, 0, 1, 0, 1, 0, 1, 0], np.int8)
GOOD = np.where(LABELS == 1, 1.0, -1.0)
POOR = np.array([1, -1, 1, -1, -1, 1, -1, 1], float)


def verdicts(kind: str, picture: np.ndarray = POOR) -> Verdicts:
    scores = dict.fromkeys(BASELINES, POOR)
    scores |= {OURS: GOOD, "ti_cnn": GOOD, "ti_cnn/0": GOOD, "char": POOR}
    scores |= {f"ti_cnn_{half}{end}": value for half, value in (("text", POOR), ("image", picture))
               for end in ("", "/0")}  # fmt: skip
    return Verdicts(
        kind, "Buzzfeed", list("abcdefgh"), LABELS, ["x"] * 4 + ["y"] * 4, scores,  # type: ignore[arg-type]
        dict.fromkeys(scores, Platt(2.0, 0.0)), dict.fromkeys(scores, 0.5),
    )  # fmt: skip


def test_notes_say_what_is_above_and_what_is_missed() -> None:
    folds = [verdicts("grouped")]
    metrics = metrics_of(folds, [verdicts("random")], "ti_cnn", 10)
    notes = notes_on(folds, metrics, "ti_cnn", "real news")
    assert "AUC 1.000 is above the strongest peer" in notes[0]
    assert "Buzzfeed 1.000" in notes[0]
    assert notes[1].endswith("above both.")
    assert "NOT" not in notes[1]
    assert "Calibration error 0.119 (aim ≤ 0.08: missed), n = 8" in notes[2]
    assert not any("synthetic" in note for note in notes)


def test_a_half_that_is_as_good_is_told() -> None:
    folds = [verdicts("grouped", picture=GOOD)]
    metrics = metrics_of(folds, folds, "ti_cnn", 10)
    assert "NOT above both" in notes_on(folds, metrics, "ti_cnn", "synthetic news")[1]


def test_the_table_has_a_row_for_the_fold_and_one_for_each_group() -> None:
    rows = case_rows(verdicts("grouped"), "ti_cnn")
    assert [row["case"] for row in rows] == ["Buzzfeed, all", "Buzzfeed, x", "Buzzfeed, y"]
    assert [row["auc:tfidf_lr"] for row in rows] == [0.5, 1.0, 0.0]
    assert [row["articles"] for row in rows] == [8, 4, 4]
    assert rows[0]["auc"] == rows[0]["accuracy"] == rows[0]["f1"] == 1.0
