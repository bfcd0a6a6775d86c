"""Scores of the test articles: ours beside every peer, on the honest and on the random split.

Every method learns from the articles of ``train``, is calibrated and gets its threshold on
``validate``, learns again from both, and answers for ``test``. Peer networks have no copy that saw
``train`` alone, so they have an AUC and no probabilities.

Legend: N test articles of a fold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from domains.contract import Card, Evaluation
from domains.fake_news.data import Articles, feature_names, learning_rows, read_articles
from domains.fake_news.figures import Explained, draw
from domains.fake_news.models.committee import CHAR
from domains.fake_news.models.explanation import explain, occlusion, strongest
from domains.fake_news.science.baselines import BASELINES, MINILM, fit_baseline
from domains.fake_news.science.calibration import fit_rising_platt, weights_to_share
from domains.fake_news.science.corpus import Corpus, Kind, open_corpus
from domains.fake_news.science.scores import best_threshold
from domains.fake_news.science.summary import case_rows, metrics_of, notes_on
from domains.fake_news.science.verdicts import OURS, Verdicts
from domains.fake_news.train import DEPLOYED, Task

_CHECKED_WORDS = 10


def evaluate(
    dataset: Path | str, task: Task, out: Path | str, *, evaluate: Mapping[str, Any], **_: Any
) -> Evaluation:
    """Score the test articles of all folds of ``dataset``.

    Args:
        dataset: folder that ``ingest`` wrote.
        task: trained.
        out: folder for figures.
        evaluate: section ``evaluate``.
    """
    corpus = open_corpus(dataset)
    articles = read_articles(corpus, task.config["model"])
    linear = [*BASELINES, *([MINILM] if evaluate["minilm"] else [])]
    folds = {
        kind: [
            judge(task, corpus, articles, kind, fold, linear) for fold in range(corpus.num_folds)
        ]
        for kind in ("grouped", "random")
    }
    main, num_bins = task.committee().main, evaluate["bins"]
    explained = _explained(task, corpus, articles, evaluate["explained"])
    metrics = metrics_of(folds["grouped"], folds["random"], main, num_bins)
    cases = pd.DataFrame([row for fold in folds["grouped"] for row in case_rows(fold, main)])
    figures = draw(Path(out), folds, main, num_bins, explained, evaluate["predict"]["words"])
    notes = notes_on(folds["grouped"], metrics, main, Card.load(Path(dataset))[0].title)
    notes.append(_check_of(explained))
    return Evaluation(metrics, cases, figures, notes)


def judge(
    task: Task,
    corpus: Corpus,
    articles: Articles,
    kind: Kind,
    fold: int,
    linear: Sequence[str] = tuple(BASELINES),
) -> Verdicts:
    """What every method, networks and ``linear`` peers, says of the test articles of one fold."""
    name = f"{kind}_{fold}"
    rows = {role: corpus.rows(role, kind, fold) for role in ("train", "validate", "test")}
    committee, encoder = task.committee(name), task.encoder(articles, name)
    scores = task.scores(encoder, rows["test"], name)
    answering = (OURS, committee.main, CHAR)
    calibrations = {method: committee.calibration(method) for method in answering}
    thresholds = {method: committee.threshold_of(method) for method in answering}
    labels = corpus.articles["label"].to_numpy(np.int8)
    tables = {part: corpus.table(own) for part, own in learning_rows(rows).items()}
    known = labels[rows["validate"]]
    weights = weights_to_share(known, float(tables["whole"]["label"].mean()))
    for method in linear:
        if kind == "grouped":  # of the random split nothing but the AUC is told
            seen = fit_baseline(method, tables["train"])(corpus.table(rows["validate"]))
            calibrations[method] = fit_rising_platt(seen, known, weights)
            thresholds[method] = best_threshold(calibrations[method](seen), known, weights)
        scores[method] = fit_baseline(method, tables["whole"])(corpus.table(rows["test"]))
    tested = corpus.articles.iloc[rows["test"]]
    groups = tested["event"] if tested["event"].nunique() > 1 else tested["origin"]
    return Verdicts(
        kind,
        _title(tested) or f"fold {fold}",
        tested["id"].tolist(),
        labels[rows["test"]],
        groups.tolist(),
        scores,
        calibrations,
        thresholds,
    )


def _title(tested: pd.DataFrame) -> str:
    """The event or part of the corpus that tests, "" where it is not one."""
    names = [tested[key].iloc[0] for key in ("event", "origin") if tested[key].nunique() == 1]
    return next((name for name in names if name), "")


def _explained(task: Task, corpus: Corpus, articles: Articles, most: int) -> list[Explained]:
    """Explanations of test articles of the deployed fold, evenly spread over its probabilities."""
    rows = corpus.rows("test")
    encoder, committee = task.encoder(articles), task.committee()
    vocabulary = task.vocabularies[DEPLOYED]
    p = committee.calibration(OURS)(task.scores(encoder, rows)[OURS])
    places = np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(int)
    names = feature_names(task.config["model"]["explicit"])
    found = []
    for place in np.argsort(-p, kind="stable")[places].tolist():
        row = rows[[place]]
        batch, text = encoder.batch(row), articles.joined(row)[0]
        parts = explain(committee, vocabulary, batch, text, names)
        words = [word for word, _ in strongest(parts.words, _CHECKED_WORDS)]
        left_out = occlusion(committee, vocabulary, batch, text, words)
        label = int(corpus.articles["label"].iloc[row[0]])
        title = articles.titles[row[0]] or articles.bodies[row[0]]
        found.append(
            Explained(
                title,
                label,
                float(p[place]),
                parts,
                dict(zip(words, left_out.tolist(), strict=True)),
            )
        )
    return found


def _check_of(explained: list[Explained]) -> str:
    """How well the parts of words agree with what leaving them out changes."""
    pairs = np.array(
        [(one.parts.words[word], fall) for one in explained for word, fall in one.left_out.items()]
    )
    if len(pairs) < 3:
        return "Explanations: too few words to check."
    same = float(np.mean(np.sign(pairs[:, 0]) == np.sign(pairs[:, 1])))
    rank = float(spearmanr(pairs[:, 0], pairs[:, 1]).statistic)
    return (
        f"Explanations: of the {len(pairs)} strongest words of {len(explained)} test articles "
        f"{same:.0%} push in the direction in which the logit moves when they are left out (rank "
        f"correlation {rank:.2f})."
    )
