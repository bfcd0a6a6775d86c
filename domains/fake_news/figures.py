"""Pictures of an evaluation: ROC and precision–recall, reliability, leaks, an explained article.

Ours is blue, baselines grey, chance black dots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from domains.contract import Figure, save_figure
from domains.fake_news.models.explanation import Explanation, strongest
from domains.fake_news.science.baselines import BASELINES
from domains.fake_news.science.baselines import strongest as strongest_baseline
from domains.fake_news.science.calibration import reliability
from domains.fake_news.science.scores import average_precision, precision_recall_curve, roc_curve
from domains.fake_news.science.verdicts import OURS, Verdicts, mean_auc, pooled

BLUE, FAKE, REAL = "tab:blue", "tab:red", "0.35"
_GRID = np.linspace(0, 1, 101)
_KIND_NAMES = {"grouped": "grouped (honest)", "random": "random (inflated)"}


@dataclass(frozen=True)
class Explained:
    """A test article with its verdict.

    Args:
        title: headline, or the beginning of the text.
        label: 1 = fake.
        probability: ours.
        parts: what made it.
        left_out: word -> how far the logit falls without it.
    """

    title: str
    label: int
    probability: float
    parts: Explanation
    left_out: Mapping[str, float]


def draw(
    out: Path,
    folds: Mapping[str, Sequence[Verdicts]],
    main: str,
    num_bins: int,
    explained: Sequence[Explained],
    num_words: int,
) -> list[Figure]:
    """Write all pictures below ``out/figures``.

    Args:
        out: folder of the evaluation.
        folds: ``grouped`` and ``random`` -> verdicts of each fold.
        main: name of the main network.
        num_bins: of the reliability diagram.
        explained: test articles, the surest fake first.
        num_words: shown of an explanation.
    """
    grouped = folds["grouped"]
    rival = strongest_baseline({name: mean_auc(grouped, name) for name in BASELINES})
    return [
        _leaks(out, folds, main),
        _curves(out, folds, main, rival),
        _reliability(out, grouped, main, num_bins),
        _card(out, _shown(explained), max(1, num_words)),
    ]


def _count(folds: Sequence[Verdicts]) -> int:
    return sum(len(fold.labels) for fold in folds)


def _leaks(out: Path, folds: Mapping[str, Sequence[Verdicts]], main: str) -> Figure:
    """AUC on the honest and on the random split, source-only first."""
    texts = [name for name in BASELINES if name not in ("majority", "source_only")]
    methods = ["source_only", *texts, main, OURS]
    canvas = Canvas(figsize=(7.2, 4.0), layout="constrained")
    axes = canvas.subplots()
    rows = np.arange(len(methods))[::-1]
    for row, method in zip(rows, methods, strict=True):
        honest, inflated = (mean_auc(folds[kind], method) for kind in ("grouped", "random"))
        colour = BLUE if method == OURS else "0.4"
        axes.plot([honest, inflated], [row, row], "-", color=colour, lw=1.2)
        axes.plot(honest, row, "o", color=colour, ms=8)
        axes.plot(inflated, row, "o", color=colour, ms=8, mfc="white")
    axes.plot([], [], "o", color="0.4", label="grouped: new publishers and events (honest)")
    axes.plot([], [], "o", color="0.4", mfc="white", label="random split (inflated)")
    axes.axvline(0.5, color="black", ls=":", lw=1)
    axes.set_yticks(rows, [_label(method) for method in methods])
    axes.set_ylim(-0.6, len(methods) - 0.4)
    axes.set_xlim(min(0.45, *axes.get_xlim()), 1.0)
    axes.set_xlabel("AUC, mean over folds (higher is better, 0.5 = chance)")
    axes.set_title("What a random split adds, and who knows the publisher alone", fontsize=11)
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.45, -0.16), fontsize=8, ncols=2, frameon=False
    )
    return save_figure(
        canvas, out, "leaks",
        f"AUC on the grouped (n = {_count(folds['grouped'])} test articles) and the random split "
        f"(n = {_count(folds['random'])}); source_only reads the publisher's name and no article.",
        "One row for each method with two dots joined by a line: honest AUC filled, inflated open.",
    )  # fmt: skip


def _label(method: str) -> str:
    names = {
        "source_only": "publisher's name alone", "tfidf_lr": "TF-IDF + LR",
        "char_lr": "letters + LR", "linear_svc": "TF-IDF + SVC", "explicit_lr": "explicit + LR",
        "fasttext": "fastText-like", "ti_cnn": "TI-CNN alone", OURS: "ours",
    }  # fmt: skip
    return names.get(method, method)


def _curves(out: Path, folds: Mapping[str, Sequence[Verdicts]], main: str, rival: str) -> Figure:
    """ROC and precision–recall, a row for each kind of split, mean over folds."""
    canvas = Canvas(figsize=(7.6, 7.0), layout="constrained")
    grid = canvas.subplots(2, 2)
    styles = {rival: ("0.6", "-"), main: ("0.3", "--"), OURS: (BLUE, "-")}
    for (kind, verdicts), (left, right) in zip(folds.items(), grid, strict=True):
        for method, (colour, line) in styles.items():
            rates = [np.interp(_GRID, *roc_curve(v.scores[method], v.labels)) for v in verdicts]
            area = mean_auc(verdicts, method)
            label = f"{_label(method)} {area:.2f}"
            left.plot(_GRID, np.mean(rates, axis=0), line, color=colour, label=label)
            precise = [_precision_at(v, method) for v in verdicts]
            found = np.mean([average_precision(v.scores[method], v.labels) for v in verdicts])
            label = f"{_label(method)} {found:.2f}"
            right.plot(_GRID, np.mean(precise, axis=0), line, color=colour, label=label)
        base = float(np.mean([v.labels.mean() for v in verdicts]))
        left.plot([0, 1], [0, 1], ":", color="black", lw=1)
        right.axhline(base, color="black", ls=":", lw=1)
        _frame(
            left, f"ROC, {_KIND_NAMES[kind]}", "false positive rate", "true positive rate", "AUC"
        )
        _frame(right, f"Precision–recall, {_KIND_NAMES[kind]}", "recall of fake", "precision", "AP")
    return save_figure(
        canvas, out, "curves",
        "ROC and precision–recall of ours, the network alone and the strongest baseline, mean over "
        f"folds, n = {_count(folds['grouped'])} test articles; below the same on random splits, "
        "which are inflated. Dotted: chance.",
        "Four panels of curves; blue is ours, grey are the network alone and a baseline.",
    )  # fmt: skip


def _precision_at(fold: Verdicts, method: str) -> np.ndarray:
    """Precision at the recalls of ``_GRID``."""
    recall, precision = precision_recall_curve(fold.scores[method], fold.labels)
    return np.interp(_GRID, recall, precision)


def _frame(axes: Axes, title: str, x: str, y: str, legend: str) -> None:
    axes.set(title=title, xlabel=x, ylabel=y, xlim=(0, 1), ylim=(0, 1.02))
    axes.title.set_fontsize(10)
    axes.legend(title=legend, fontsize=8, title_fontsize=8, loc="lower right")


def _reliability(out: Path, grouped: Sequence[Verdicts], main: str, num_bins: int) -> Figure:
    """Probability told against share of fakes found."""
    canvas = Canvas(figsize=(5.6, 5.2), layout="constrained")
    top, bottom = canvas.subplots(2, 1, height_ratios=(4, 1), sharex=True)
    top.plot([0, 1], [0, 1], ":", color="black", lw=1, label="perfect")
    for method, colour, line in ((main, "0.5", "s--"), (OURS, BLUE, "o-")):
        bins = reliability(*pooled(grouped, method), num_bins)
        top.plot(bins.probability, bins.share, line, color=colour, label=_label(method))
    bottom.hist(pooled(grouped, OURS)[0], bins=num_bins, range=(0, 1), color=BLUE, ec="white")
    top.set(ylabel="share of fakes found", xlim=(0, 1), ylim=(0, 1))
    top.set_title("Reliability on the grouped split", fontsize=11)
    top.legend(fontsize=8, loc="upper left")
    bottom.set(xlabel="probability of fake told", ylabel="articles")
    return save_figure(
        canvas, out, "reliability",
        f"Probability told against share of fakes found, n = {_count(grouped)} test articles of "
        f"all folds in {num_bins} bins; below, how often ours tells which.",
        "A curve near the diagonal, and a histogram of probabilities below it.",
    )  # fmt: skip


def _shown(explained: Sequence[Explained]) -> Explained:
    """The surest fake, one with a picture if there is any."""
    return next((one for one in explained if one.parts.picture), explained[0])


def _card(out: Path, one: Explained, most: int) -> Figure:
    """One article's verdict with the words, features and parts that made it."""
    canvas = Canvas(figsize=(8.4, 4.6), layout="constrained")
    left, middle, right = canvas.subplots(1, 3, width_ratios=(3, 3, 1.1))
    _bars(left, strongest(one.parts.words, most), "words")
    _bars(middle, strongest(one.parts.features, most), "explicit features")
    right.bar([0, 1], [one.parts.text, one.parts.picture], color=[BLUE, "0.6"])
    right.set_xticks([0, 1], ["text", "picture"], rotation=30)
    right.axhline(0, color="black", lw=0.8)
    right.tick_params(labelsize=8)
    right.set_title("lost without", fontsize=9)
    truth = "fake" if one.label else "real"
    title = one.title if len(one.title) <= 80 else one.title[:77] + "…"
    canvas.suptitle(
        f"“{title}”\nstylistic risk {one.probability:.2f} (labelled {truth}); red pushes to fake",
        fontsize=10, parse_math=False,
    )  # fmt: skip
    return save_figure(
        canvas, out, "explanation",
        "A test article of the highest risk: words and explicit features by their part of the "
        "logit, and what the logit loses without text and without picture.",
        "Two bar charts of signed parts and a third of text against picture.",
    )  # fmt: skip


def _bars(axes: Axes, parts: Sequence[tuple[str, float]], title: str) -> None:
    names, values = [name for name, _ in parts], [value for _, value in parts]
    rows = np.arange(len(parts))[::-1]
    axes.barh(rows, values, color=[FAKE if value > 0 else REAL for value in values])
    axes.set_yticks(rows, names, fontsize=8, parse_math=False)
    axes.axvline(0, color="black", lw=0.8)
    axes.set_xlabel("part of the logit", fontsize=8)
    axes.tick_params(axis="x", labelsize=8)
    axes.set_title(title, fontsize=9)
