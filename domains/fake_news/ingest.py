"""Raw articles to one dataset: cleaned, deduplicated, split with the leaks out; and a card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from domains.contract import Card
from domains.errors import DataError
from domains.fake_news.params import IngestParams
from domains.files import whole_folder

if TYPE_CHECKING:
    import pandas as pd

    from domains.fake_news.science.splits import Fold
    from domains.fake_news.sources.collection import Collection

UNITS = {
    "label": "1 = fake, 0 = real",
    "image_width": "px",
    "image_height": "px",
    "features": "counts, rates per 100 words, shares; see science/text_features, image_features",
}


def ingest(source: str, out: Path | str, **params: Mapping[str, Any]) -> Card:
    """Write the dataset folder ``out`` and return its card.

    Args:
        source: ``sample`` (synthetic), ``public`` (``ingest.public.corpus``), or the path or URL of
            articles.
        out: folder that appears whole or not at all.
        **params: the domain's block; only ``ingest`` is read.

    Raises:
        DataError: a file that cannot be used, or too few articles left to train and test on.
    """
    from domains.fake_news.science.corpus import IMAGE_FOLDER, write_corpus
    from domains.fake_news.sources.assembly import deduplicated, rows_of

    settings = IngestParams.model_validate(params["ingest"])
    collection = collect(source, settings)
    with whole_folder(Path(out)) as folder:
        (folder / IMAGE_FOLDER).mkdir()
        articles, features = rows_of(collection, settings, folder / IMAGE_FOLDER)
        articles, features = deduplicated(articles, features, collection, settings)
        for orphan in {p.name for p in (folder / IMAGE_FOLDER).iterdir()} - {*articles["image"]}:
            (folder / IMAGE_FOLDER / orphan).unlink()
        folds = split(articles, collection, settings)
        write_corpus(folder, articles, features)
        card = _card(collection, articles, folds)
        card.save(folder)
    return card


def collect(source: str, settings: IngestParams) -> Collection:
    """The raw articles of ``source``."""
    if source == "sample":
        from domains.fake_news.sources.simulator import simulate

        return simulate(settings.sample, settings.seed)[0]
    if source == "public" and settings.public.corpus == "horne":
        from domains.fake_news.sources.horne import collect_horne

        return collect_horne()
    if source == "public":
        from domains.fake_news.sources.mediaeval import collect_mediaeval

        return collect_mediaeval()
    from domains.fake_news.sources.files import collect_files

    return collect_files(source, settings.files)


def split(articles: pd.DataFrame, collection: Collection, settings: IngestParams) -> list[Fold]:
    """Adds the columns ``grouped_k`` and ``random_k``; returns the grouped folds.

    Raises:
        DataError: a fold lacks a label in one of its roles.
    """
    from domains.fake_news.science.splits import grouped_folds, random_folds

    choice = settings.split
    wanted = list(choice.group_by or collection.group_by)
    leave_out = choice.leave_out if choice.group_by or choice.leave_out else collection.leave_out
    keys = {}
    for name in wanted:
        if (count := articles[name].nunique()) >= 2:
            keys[name] = articles[name].tolist()
        else:
            collection.warnings.append(f"no split by {name}: {count} value in all articles")
    if not keys:
        collection.warnings.append(
            "neither publisher nor event is known: the grouped split only keeps near duplicates "
            "together and is as inflated as the random one; name ingest.files.columns.source"
        )
        keys, leave_out = {"duplicates": [str(k) for k in articles["duplicates"]]}, None
    _check_leave_out(leave_out, next(iter(keys)), keys)
    labels, clusters = articles["label"].to_numpy(np.int8), articles["duplicates"].to_numpy()
    folds = grouped_folds(
        keys, labels, clusters, choice.folds, leave_out, choice.validate_share, settings.seed
    )
    random = random_folds(folds, labels, clusters, settings.seed)
    for kind, found in (("grouped", folds), ("random", random)):
        for number, fold in enumerate(found):
            _check_fold(fold, labels, f"{kind}_{number}")
            articles[f"{kind}_{number}"] = fold.roles
    if any(not fold.has_grouped_validation for fold in folds):
        collection.warnings.append(
            "validation shares groups with training: too few groups are left to part them"
        )
    return folds


def _check_leave_out(leave_out: Any, key: str, keys: Mapping[str, list[str]]) -> None:
    if leave_out is None:
        return
    if unknown := [name for name in leave_out if name not in set(keys[key])]:
        known = sorted(set(keys[key]))
        raise DataError(
            f"fake_news: ingest.split.leave_out: no {key} {unknown[0]!r}, expected some of "
            f"{', '.join(known[:8])}{' …' if len(known) > 8 else ''}"
        )


def _check_fold(fold: Fold, labels: np.ndarray, name: str) -> None:
    for role in ("train", "validate", "test"):
        fakes = int(labels[fold.roles == role].sum())
        num = int(np.sum(fold.roles == role))
        if not 0 < fakes < num:
            raise DataError(
                f"fake_news: {name} ({fold.name}): {fakes} fake of {num} articles to {role}, "
                "expected both labels; change ingest.split.folds, group_by or leave_out"
            )


def _card(collection: Collection, articles: pd.DataFrame, folds: list[Fold]) -> Card:
    splits, counts = {}, {
        "posts" if collection.is_posts else "articles": len(articles),
        "fake": int(articles["label"].sum()),
        "real": int((articles["label"] == 0).sum()),
        "with picture": int((articles["image"] != "").sum()),
        "different pictures": articles.loc[articles["image"] != "", "image"].nunique(),
        "sources": articles["source"].nunique(),
        "events": articles["event"].nunique(),
        "clusters of duplicates": articles["duplicates"].nunique(),
        "folds": len(folds),
    }  # fmt: skip
    for role in ("train", "validate", "test"):
        own = articles.loc[articles["grouped_0"] == role]
        splits[role] = own["id"].tolist()
        counts[f"{role} articles of fold 0"] = len(own)
    return Card(
        title=collection.title,
        source=collection.source,
        licence=collection.licence,
        units=UNITS,
        splits=splits,
        counts=counts,
        rejected=dict(sorted(collection.rejected.items())),
        warnings=collection.warnings,
    )
