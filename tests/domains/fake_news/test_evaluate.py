"""The evaluation: every method on the same articles, honest split first, the leak beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from domains.contract import Evaluation
from domains.fake_news.data import read_articles
from domains.fake_news.evaluate import evaluate
from domains.fake_news.science.baselines import BASELINES, fit_baseline
from domains.fake_news.science.corpus import open_corpus
from domains.fake_news.science.scores import auc
from domains.fake_news.science.verdicts import OURS
from domains.fake_news.train import Task
from tests.domains.fake_news.conftest import EVALUATE


@pytest.fixture(scope="module")
def result(
    tiny_dataset: Path, trained: Task, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Evaluation]:
    out = tmp_path_factory.mktemp("evaluation")
    return out, evaluate(tiny_dataset, trained, out, evaluate=EVALUATE)


def by_name(evaluation: Evaluation) -> dict:
    return {metric.name: metric for metric in evaluation.metrics}


def test_the_headline_is_the_mean_over_honest_folds(
    result: tuple[Path, Evaluation], tiny_dataset: Path, trained: Task
) -> None:
    headline = result[1].headline
    corpus = open_corpus(tiny_dataset)
    articles = read_articles(corpus, trained.config["model"])
    labels = corpus.articles["label"].to_numpy()
    ours, tfidf, num = [], [], 0
    for fold in range(corpus.num_folds):
        rows = corpus.rows("test", fold=fold)
        name = f"grouped_{fold}"
        scores = trained.scores(trained.encoder(articles, name), rows, name)
        ours.append(auc(scores[OURS], labels[rows]))
        learnt = [corpus.rows(role, fold=fold) for role in ("train", "validate")]
        table = corpus.table(np.sort(np.concatenate(learnt)))
        tfidf.append(auc(fit_baseline("tfidf_lr", table)(corpus.table(rows)), labels[rows]))
        num += len(rows)
    assert (headline.name, headline.better, headline.n) == ("auc", "higher", num)
    assert headline.value == pytest.approx(np.mean(ours))
    assert headline.baselines["tfidf_lr"] == pytest.approx(np.mean(tfidf))
    networks = {"ti_cnn_text", "kim_cnn", "gru"}
    assert headline.baselines.keys() == {*BASELINES, *networks}


def test_the_leak_shows_in_the_random_split_alone(result: tuple[Path, Evaluation]) -> None:
    metrics = by_name(result[1])
    assert metrics["auc"].baselines["source_only"] == 0.5
    assert metrics["auc_random_inflated"].baselines["source_only"] > 0.7
    assert any("publisher's name alone has AUC 0.500" in note for note in result[1].notes)


def test_probabilities_have_scores_of_their_own(result: tuple[Path, Evaluation]) -> None:
    metrics = by_name(result[1])
    assert 0.25 <= metrics["brier"].baselines["majority"] < 0.35  # 0.25 with equal shares
    assert 0 < metrics["brier"].value < metrics["brier"].baselines["majority"]
    assert 0 <= metrics["calibration_error"].value < 0.4
    f1 = 2 / (1 / metrics["precision"].value + 1 / metrics["recall"].value)
    assert metrics["f1"].value == pytest.approx(f1, abs=0.05)  # means over folds, so not exactly


def test_the_table_has_each_fold_whole_and_by_event(
    result: tuple[Path, Evaluation], tiny_dataset: Path
) -> None:
    cases = result[1].cases
    whole = cases[cases["case"].str.endswith(", all")]
    assert len(whole) == 2
    assert whole["articles"].sum() == result[1].headline.n
    assert whole["auc"].mean() == pytest.approx(result[1].headline.value)
    events = cases[cases["case"].str.contains("event")]
    assert events["articles"].sum() == result[1].headline.n
    assert {"auc:tfidf_lr", "auc:source_only", "auc:kim_cnn", "f1", "accuracy"} <= {*cases.columns}


def test_notes_tell_bars_and_that_no_facts_are_checked(result: tuple[Path, Evaluation]) -> None:
    notes = " ".join(result[1].notes)
    for part in ("the strongest peer", "aim ≤ 0.08", "not a fact check", "synthetic", "push in"):
        assert part in notes


def test_figures_are_written_the_same_again(
    result: tuple[Path, Evaluation], tiny_dataset: Path, trained: Task, tmp_path: Path
) -> None:
    out, evaluation = result
    names = [figure.file for figure in evaluation.figures]
    assert names == [f"figures/{n}.png" for n in ("leaks", "curves", "reliability", "explanation")]
    again = evaluate(tiny_dataset, trained, tmp_path, evaluate=EVALUATE)
    assert again.metrics == evaluation.metrics
    assert again.notes == evaluation.notes
    for name in names:
        assert (out / name).read_bytes() == (tmp_path / name).read_bytes()
