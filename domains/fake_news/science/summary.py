"""Verdicts of all folds to metrics, the table of cases, and what a reader must know.

Legend: N test articles of a fold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from domains.contract import Metric
from domains.fake_news.science.baselines import BASELINES, MINILM, strongest
from domains.fake_news.science.scores import accuracy, precision_recall_f1
from domains.fake_news.science.verdicts import (
    OURS,
    Verdicts,
    calibration_scores,
    mean_auc,
    mean_threshold_scores,
    seed_aucs,
)

CALIBRATION_BAR = 0.08
"""Calibration error that the suite aims at."""


def linear_of(fold: Verdicts) -> list[str]:
    """The peers that are no networks."""
    return [name for name in (*BASELINES, MINILM) if name in fold.scores]


def peers_of(fold: Verdicts, main: str) -> list[str]:
    """Networks trained beside the main one."""
    networks = dict.fromkeys(name.split("/")[0] for name in fold.scores if "/" in name)
    return [name for name in networks if name != main]


def metrics_of(
    grouped: Sequence[Verdicts], random: Sequence[Verdicts], main: str, num_bins: int
) -> list[Metric]:
    num = sum(len(fold.labels) for fold in grouped)
    peers, linear = peers_of(grouped[0], main), linear_of(grouped[0])
    rivals = [*linear, *peers]
    spread = np.std(seed_aucs(grouped, main))
    metrics = [
        Metric(
            "auc", mean_auc(grouped, OURS), "", "higher", num,
            {name: mean_auc(grouped, name) for name in rivals},
            "area below the ROC curve, grouped split, mean over folds; ours joins "
            f"{main} and letter runs",
        ),
        Metric(
            f"auc_{main}", float(np.mean(seed_aucs(grouped, main))), "", "higher", num,
            {name: float(np.mean(seed_aucs(grouped, name))) for name in peers}
            | {name: mean_auc(grouped, name) for name in linear},
            f"{main} alone: mean over {len(grouped[0].seeds(main))} single seeds and folds, "
            f"standard deviation over seeds {spread:.3f}",
        ),
    ]  # fmt: skip
    calibrated = [*linear, main]
    ours = mean_threshold_scores(grouped, OURS)
    theirs = {name: mean_threshold_scores(grouped, name) for name in calibrated}
    for key in ("f1", "precision", "recall"):
        metrics.append(
            Metric(key, ours[key], "", "higher", num, {n: v[key] for n, v in theirs.items()},
                   "of fake, at the threshold of validation, grouped split, mean over folds")
        )  # fmt: skip
    ours = calibration_scores(grouped, OURS, num_bins)
    theirs = {name: calibration_scores(grouped, name, num_bins) for name in calibrated}
    for key, what in (("brier", "mean of (p − y)²"), ("calibration_error", "|p − share of fakes|")):
        metrics.append(
            Metric(key, ours[key], "", "lower", num, {n: v[key] for n, v in theirs.items()},
                   f"{what}, grouped split, test articles of all folds together")
        )  # fmt: skip
    metrics.append(
        Metric(
            "auc_random_inflated", mean_auc(random, OURS), "", "higher",
            sum(len(fold.labels) for fold in random),
            {name: mean_auc(random, name) for name in [*linear, main]},
            "the same on random splits, where publishers and events leak: not what to expect",
        )
    )  # fmt: skip
    return metrics


def case_rows(fold: Verdicts, main: str) -> list[dict[str, Any]]:
    """The whole fold, and each of its events."""
    groups = np.asarray(fold.groups)
    parts = {f"{fold.name}, all": np.ones(len(groups), bool)}
    if len(set(fold.groups)) > 1:
        parts |= {f"{fold.name}, {name}": groups == name for name in sorted(set(fold.groups))}
    methods = [OURS, *linear_of(fold), main, *peers_of(fold, main)]
    found = []
    for case, own in parts.items():
        part = _part(fold, own)
        p = part.probability(OURS)
        row: dict[str, Any] = {
            "case": case,
            "articles": int(own.sum()),
            "fakes": int(part.labels.sum()),
            "f1": precision_recall_f1(p, part.labels, part.thresholds[OURS])[2],
            "accuracy": accuracy(p, part.labels, part.thresholds[OURS]),
        }
        for method in methods:
            row["auc" if method == OURS else f"auc:{method}"] = part.auc(method)
        found.append(row)
    return found


def _part(fold: Verdicts, own: np.ndarray) -> Verdicts:
    """Some of a fold's articles."""
    places = np.flatnonzero(own).tolist()
    return replace(
        fold,
        ids=[fold.ids[place] for place in places],
        labels=fold.labels[own],
        groups=[fold.groups[place] for place in places],
        scores={method: values[own] for method, values in fold.scores.items()},
    )


def notes_on(
    grouped: Sequence[Verdicts], metrics: Sequence[Metric], main: str, title: str
) -> list[str]:
    """Sentences a reader of the numbers must see.

    Args:
        grouped: verdicts of the honest folds.
        metrics: of ``metrics_of``.
        main: the main network.
        title: of the dataset's card.
    """
    by_name = {metric.name: metric for metric in metrics}
    headline = by_name["auc"]
    simple = {name: headline.baselines[name] for name in linear_of(grouped[0])}
    rival = strongest(simple, tuple(simple))
    by_fold = "; ".join(
        f"{fold.name} {fold.auc(OURS):.3f} ({main} alone {fold.auc(main):.3f}, {rival} "
        f"{fold.auc(rival):.3f}, n = {len(fold.labels)})"
        for fold in grouped
    )
    verdict = "above" if headline.value > simple[rival] else "NOT above"
    notes = [
        f"AUC {headline.value:.3f} is {verdict} the strongest peer {rival} ({simple[rival]:.3f}) "
        f"on publishers and events that training has not seen; {main} alone has "
        f"{mean_auc(grouped, main):.3f}. By fold: {by_fold}.",
        _inputs_note(grouped, main),
        _calibration_note(by_name["calibration_error"]),
        _leak_note(by_name),
        "A stylistic risk score, not a fact check: it says how an article is written.",
    ]
    if "synthetic" in title:
        notes.append(
            "The articles are synthetic: the numbers show that the pipeline works and finds what "
            "was planted, nothing about news."
        )
    return [note for note in notes if note]


def _inputs_note(grouped: Sequence[Verdicts], main: str) -> str:
    """Whether text and picture together beat either."""
    halves = [name for name in ("ti_cnn_text", "ti_cnn_image") if f"{name}/0" in grouped[0].scores]
    if main != "ti_cnn" or not halves:
        return ""
    told = ", ".join(f"{name} {_seeds(grouped, name)}" for name in halves)
    together = float(np.mean(seed_aucs(grouped, main)))
    best = max(float(np.mean(seed_aucs(grouped, name))) for name in halves)
    verdict = "above both" if together > best else "NOT above both"
    return f"Text and picture together: {main} {_seeds(grouped, main)}; {told}: {verdict}."


def _seeds(grouped: Sequence[Verdicts], name: str) -> str:
    found = seed_aucs(grouped, name)
    return f"AUC {np.mean(found):.3f} ± {np.std(found):.3f} over {len(found)} seed(s)"


def _calibration_note(metric: Metric) -> str:
    verdict = "reached" if metric.value <= CALIBRATION_BAR else "missed"
    perfect = 0.3 * np.sqrt(10 / metric.n)
    return (
        f"Calibration error {metric.value:.3f} (aim ≤ {CALIBRATION_BAR}: {verdict}), "
        f"n = {metric.n}; a perfect forecaster would have about {perfect:.3f} in ten bins."
    )


def _leak_note(by_name: dict[str, Metric]) -> str:
    honest, inflated = by_name["auc"], by_name["auc_random_inflated"]
    names = [metric.baselines["source_only"] for metric in (honest, inflated)]
    return (
        f"The publisher's name alone has AUC {names[0]:.3f} on the grouped and {names[1]:.3f} on "
        f"the random split; ours {honest.value:.3f} and {inflated.value:.3f}: the difference is "
        "what a random split adds."
    )
