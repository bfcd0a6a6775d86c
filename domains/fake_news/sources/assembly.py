"""Raw articles of a source to the rows of the dataset; what is refused is counted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from domains.errors import DataError
from domains.fake_news.params import IngestParams
from domains.fake_news.science.corpus import FEATURES
from domains.fake_news.science.duplicates import cluster, join_equal
from domains.fake_news.sources.cleaning import FINDINGS, publisher_names
from domains.fake_news.sources.collection import Collection
from domains.fake_news.sources.preparation import NO_PICTURE, PictureShelf, prepare_texts

MIN_ARTICLES = 30


def rows_of(
    collection: Collection, settings: IngestParams, images: Path
) -> tuple[pd.DataFrame, np.ndarray]:
    """Articles sorted by id and their features (N, len(FEATURES)); pictures go to ``images``.

    Raises:
        DataError: fewer than ``MIN_ARTICLES`` are left, or one label is missing.
    """
    names = [publisher_names(sorted({article.source for article in collection.articles}))]
    shelf, found = PictureShelf(settings.images), Counter[str]()
    shown: Counter[str] = Counter()
    most = settings.public.max_posts_per_image if collection.is_posts else None
    most = most or len(collection.articles)
    rows: dict[str, dict[str, Any]] = {}
    features: dict[str, np.ndarray] = {}
    for article in collection.articles:
        texts = prepare_texts(article, settings.clean, collection.is_posts, names)
        if isinstance(texts, str):
            collection.rejected[texts] += 1
            continue
        if article.id in rows:
            collection.rejected["id comes twice"] += 1
            continue
        image, about_image = "", NO_PICTURE
        if article.image is not None:
            picture = shelf.read(article.image, article.image_size)
            if isinstance(picture, str):
                collection.rejected[picture + ", the article is kept"] += 1
            else:
                shown[picture.name] += 1
                if shown[picture.name] > most:
                    collection.rejected["post with a picture that many posts have"] += 1
                    continue
                image, about_image = picture.name, picture.features
                (images / image).write_bytes(picture.png)
                found.update(picture.notes)
        found.update({FINDINGS[key]: count for key, count in texts.found.items() if count})
        rows[article.id] = {
            "id": article.id,
            "title": texts.title,
            "thread": texts.thread,
            "body": texts.body,
            "label": article.label,
            "source": article.source,
            "event": article.event,
            "origin": article.origin,
            "date": article.date,
            "image": image,
        }
        features[article.id] = np.concatenate([texts.features(), about_image])
    collection.warnings += [f"{count} {what}" for what, count in sorted(found.items())]
    _check_enough([row["label"] for row in rows.values()], collection)
    ids = sorted(rows)
    table = pd.DataFrame([rows[name] for name in ids])
    values = np.stack([features[name] for name in ids])
    assert values.shape[1] == len(FEATURES)
    return table, values


def _check_enough(labels: list[int], collection: Collection) -> None:
    fakes = sum(labels)
    if min(fakes, len(labels) - fakes) * 2 < MIN_ARTICLES:
        raise DataError(
            f"fake_news: {collection.source}: {fakes} fake and {len(labels) - fakes} real articles "
            f"left, expected {MIN_ARTICLES // 2} or more of each; refused: "
            f"{dict(collection.rejected) or 'none'}"
        )


def deduplicated(
    articles: pd.DataFrame, features: np.ndarray, collection: Collection, settings: IngestParams
) -> tuple[pd.DataFrame, np.ndarray]:
    """Adds the column ``duplicates``; drops all but the first of each cluster if so asked."""
    threshold, bodies = settings.duplicates.threshold, articles["body"].tolist()
    clusters = cluster(bodies, threshold, settings.seed)
    near = len(clusters) - int(clusters.max()) - 1
    labels = articles["label"].to_numpy()
    mixed = sum(len(set(labels[clusters == k])) > 1 for k in np.unique(clusters).tolist()
                if np.sum(clusters == k) > 1)  # fmt: skip
    if near:
        collection.warnings.append(f"{near} articles are near duplicates of another one")
    if mixed:
        collection.warnings.append(f"{mixed} clusters of near duplicates carry both labels")
    if settings.duplicates.action == "drop":
        _, first = np.unique(clusters, return_index=True)
        kept = np.sort(first)
        collection.rejected["near duplicate of another article"] += len(clusters) - len(kept)
        articles, features = articles.iloc[kept].reset_index(drop=True), features[kept]
        clusters = np.arange(len(kept), dtype=np.int32)
    clusters = join_equal(clusters, articles["image"].tolist())
    return articles.assign(duplicates=clusters), features
