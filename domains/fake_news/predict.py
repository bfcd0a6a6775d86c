"""A trained model and the user's articles to a stylistic risk with its reasons, as JSON or CSV.

The answer is a score of style and layout, not a fact check: it says "written like those that were
fake", with the words and features that made it say so.

Legend: N articles.
"""

from __future__ import annotations

import csv
import io
import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from domains.errors import DataError
from domains.fake_news.data import feature_names
from domains.fake_news.params import FilesParams, PredictParams
from domains.fake_news.science.tokens import PADDING, UNKNOWN
from domains.fake_news.science.verdicts import OURS
from domains.fake_news.sources.articles import read_articles
from domains.fake_news.sources.collection import MemoryFile, RawArticle
from domains.fake_news.sources.images import MIN_PX
from domains.fake_news.sources.judging import Prepared, as_articles, as_file, prepare
from domains.fake_news.sources.language import is_english
from domains.files import write_text

if TYPE_CHECKING:
    from domains.fake_news.train import Task

_log = logging.getLogger(__name__)

OUTPUTS = (".json", ".csv")
DISCLAIMER = (
    "A stylistic risk score, not a fact check: how much an article is written and illustrated like "
    "those that were labelled fake. A sober lie passes, a shouted truth does not."
)
_UNKNOWN_SHARE = 0.4
"""Share of words that training has not seen from which the answer is told to be unsure."""


def predict(task: Task, input: Path | str, output: Path | str, **params: Mapping[str, Any]) -> None:
    """Write the stylistic risk of the articles in ``input`` to ``output``.

    Args:
        task: a trained task.
        input: ``.txt``, ``.html``, ``.json``, ``.jsonl``, or a table as ``ingest.files`` says.
        output: ends in .json or .csv; it appears whole or not at all.
        **params: the domain's block; ``ingest`` and ``evaluate.predict`` are read.

    Raises:
        DataError: the input cannot be used, no article of it can, or the output has another ending.
    """
    source, place = Path(input), Path(output)
    if place.suffix.lower() not in OUTPUTS:
        raise DataError(f"{place}: cannot write this kind of file, expected {' or '.join(OUTPUTS)}")
    if source.resolve() == place.resolve():
        raise DataError(f"{place}: is the input itself; write the answer to another place")
    wanted = PredictParams.model_validate(params["evaluate"]["predict"])
    raw, refused = read_articles(source, FilesParams.model_validate(params["ingest"]["files"]))
    prepared = prepare(raw, params["ingest"], task.config, refused)
    if not prepared:
        raise DataError(
            f"{source}: no article that can be judged; refused: {dict(refused)}; set "
            "ingest.files.kind: post where short posts are to be judged"
        )
    for reason, count in sorted(refused.items()):
        _log.warning("warning: fake_news: %d: %s", count, reason)
    answers = answer(task, prepared, wanted)
    foreign = sum(one["language"] != "en" for one in answers)
    if foreign and wanted.language == "en":
        _log.warning(
            "warning: fake_news: %d of %d articles are not English, which the model was trained "
            "on: their score means little", foreign, len(answers),
        )  # fmt: skip
    if place.suffix.lower() == ".json":
        whole = {"about": DISCLAIMER, "articles": answers, "refused": dict(sorted(refused.items()))}
        write_text(place, json.dumps(whole, indent=2, ensure_ascii=False) + "\n")
    else:
        write_text(place, _as_csv(answers))


def answer(task: Task, prepared: Sequence[Prepared], wanted: PredictParams) -> list[dict[str, Any]]:
    """One record for each article: risk, verdict, and what made it."""
    from domains.fake_news.models.explanation import explain, strongest
    from domains.fake_news.train import DEPLOYED

    articles = as_articles(prepared, task.config["model"])
    encoder, committee = task.encoder(articles), task.committee()
    rows = np.arange(len(prepared))
    risks = committee.calibration(OURS)(task.scores(encoder, rows)[OURS])
    threshold = committee.threshold_of(OURS)
    names = feature_names(task.config["model"]["explicit"])
    found = []
    for row, (one, risk) in enumerate(zip(prepared, risks.tolist(), strict=True)):
        batch, text = encoder.batch(rows[[row]]), articles.joined(rows[[row]])[0]
        parts = explain(committee, task.vocabularies[DEPLOYED], batch, text, names)
        is_word, is_unknown = batch["words"] != PADDING, batch["words"] == UNKNOWN
        unknown = float(is_unknown.sum() / is_word.sum().clamp_min(1))
        found.append(
            {
                "id": one.id,
                "title": one.texts.title,
                "stylistic_risk": round(risk, 4),
                "threshold": round(threshold, 4),
                "verdict": f"{'high' if risk >= threshold else 'low'} stylistic risk",
                "language": "en" if is_english(one.texts.body) else "not English",
                "has_picture": one.picture is not None,
                "share_of_text": round(1 - parts.share_of_picture, 4),
                "share_of_picture": round(parts.share_of_picture, 4),
                "words": _rounded(strongest(parts.words, wanted.words)),
                "features": _rounded(strongest(parts.features, wanted.words)),
                "unknown_words": round(unknown, 4),
                "is_unsure": unknown > _UNKNOWN_SHARE,
            }
        )
    return found


def _rounded(parts: Sequence[tuple[str, float]]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in parts}


def _as_csv(answers: Sequence[Mapping[str, Any]]) -> str:
    """One line for each article; words and features as ``name:part`` with blanks between."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(answers[0]), lineterminator="\n")
    writer.writeheader()
    for one in answers:
        flat = {
            key: " ".join(f"{name}:{part:+.3f}" for name, part in value.items())
            if isinstance(value, dict) else value
            for key, value in one.items()
        }  # fmt: skip
        writer.writerow(flat)
    return stream.getvalue()


_SERVED = {
    "clean": {"min_words": 1, "min_words_post": 1, "language": "any"},
    "files": {"kind": "article"},
}
"""How ``infer`` cleans: nothing is refused but an article without a word."""
_MAX_PIXELS = 50_000_000


def infer(task: Task, arrays: Mapping[str, NDArray]) -> dict[str, NDArray]:
    """``stylistic_risk`` (N,) in [0, 1] and ``is_high`` (N,), 1 at and above the threshold.

    Args:
        task: a trained task.
        arrays: ``title`` (N,) and ``text`` (N,) as text; ``picture`` (N, H, W, 3) in 0 … 255, of
            8 px or more a side, may be left out.

    Raises:
        DataError: an array is missing, of another shape or range, or an article has no word.
    """
    if missing := [key for key in ("title", "text") if key not in arrays]:
        raise DataError(f"fake_news: {', '.join(missing)} missing, expected title and text, (N,)")
    title, text = (np.ravel(np.asarray(arrays[key], dtype=str)) for key in ("title", "text"))
    pictures: list[MemoryFile | None] = [None] * len(text)
    given = np.asarray(arrays.get("picture", ()))
    if given.size:
        _check_pictures(given)
        pictures = [as_file(one) for one in given]
    if not len(title) == len(text) == len(pictures) > 0:
        raise DataError(
            f"fake_news: {len(title)} titles, {len(text)} texts, {len(pictures)} pictures, "
            "expected as many of each and one at least"
        )
    raw = [
        RawArticle(str(place), *parts[:2], None, image=parts[2])
        for place, parts in enumerate(zip(title.tolist(), text.tolist(), pictures, strict=True))
    ]
    refused: Counter[str] = Counter()
    images = {"size_px": task.config["size_px"], "max_pixels": _MAX_PIXELS}
    prepared = prepare(raw, {**_SERVED, "images": images}, task.config, refused)
    if refused:
        raise DataError(f"fake_news: {dict(refused)}, expected a text with a word in each article")
    encoder = task.encoder(as_articles(prepared, task.config["model"]))
    committee = task.committee()
    scores = task.scores(encoder, np.arange(len(prepared)))[OURS]
    risk = committee.calibration(OURS)(scores)
    return {
        "stylistic_risk": risk,
        "is_high": (risk >= committee.threshold_of(OURS)).astype(np.int64),
    }


def _check_pictures(pictures: NDArray) -> None:
    """Refuse pictures with axes other than (N, H, W, 3), too small, or not in 0 … 255."""
    shape = pictures.shape
    if len(shape) != 4 or shape[3] != 3 or min(shape[1:3]) < MIN_PX:
        raise DataError(
            f"fake_news: picture has shape {shape}, expected (N, H, W, 3) with H and W of {MIN_PX} "
            "px or more"
        )
    low, high = float(pictures.min()), float(pictures.max())
    is_share = pictures.dtype.kind == "f" and 0 < high <= 1
    if is_share or not 0 <= low <= high <= 255:
        raise DataError(
            f"fake_news: picture has values from {low:g} to {high:g}, expected 0 … 255; multiply "
            "shares by 255"
        )


def example_input(_: Any) -> dict[str, NDArray]:
    """Two short articles without pictures, as ``infer`` takes them."""
    sober = (
        "The council voted on Tuesday to repair the bridge, officials said. The work will cost "
        "2.4 million and last until spring, according to a report of the city."
    )
    shouted = (
        "You will NOT believe what they are hiding!!! The bridge is a LIE and everyone of us will "
        "pay for it. Why does no one talk about this? Share it before it is gone!"
    )
    return {
        "title": np.array(
            ["Council votes to repair bridge", "The bridge they DON'T want you to see!"]
        ),
        "text": np.array([sober, shouted]),
    }
