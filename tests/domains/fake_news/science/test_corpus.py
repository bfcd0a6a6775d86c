"""The dataset on disk comes back as it was written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from domains.errors import DataError
from domains.fake_news.science.corpus import FEATURES, open_corpus


def test_rows_of_a_fold_are_those_of_its_column(tiny_dataset: Path) -> None:
    corpus = open_corpus(tiny_dataset)
    assert corpus.num_folds == 2
    roles = corpus.articles["grouped_1"].tolist()
    assert corpus.rows("test", fold=1).tolist() == [i for i, r in enumerate(roles) if r == "test"]
    with pytest.raises(DataError, match="no column random_2, the dataset has 2 folds"):
        corpus.rows("test", "random", 2)


def test_pictures_are_small_and_named_by_content(tiny_dataset: Path) -> None:
    corpus = open_corpus(tiny_dataset)
    has_picture = corpus.articles["image"].to_numpy() != ""
    assert 40 < has_picture.sum() < 90
    pictures = [corpus.picture(row) for row in np.flatnonzero(has_picture).tolist()]
    assert all(p is not None and max(p.shape[:2]) == 32 for p in pictures)
    assert corpus.picture(int(np.flatnonzero(~has_picture)[0])) is None
    widths = corpus.features["image_width"].to_numpy()
    assert (np.isnan(widths) == ~has_picture).all()
    assert np.nanmin(widths) >= 18 * 8


def test_a_table_for_baselines_has_articles_and_features_side_by_side(tiny_dataset: Path) -> None:
    corpus = open_corpus(tiny_dataset)
    table = corpus.table(corpus.rows("train"))
    lengths = table["body"].str.len().to_numpy()
    assert table["text_len"].to_numpy() == pytest.approx(lengths)


def test_a_missing_or_older_table_says_what_to_run(tiny_dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"articles\.parquet is missing; run the ingest step"):
        open_corpus(tmp_path)
    for name in ("articles", "features"):
        table = pq.read_table(tiny_dataset / f"{name}.parquet")
        kept = [c for c in table.column_names if c != FEATURES[5]]
        pq.write_table(table.select(kept), tmp_path / f"{name}.parquet")
    with pytest.raises(DataError, match=f"{FEATURES[5]} not as this version writes it"):
        open_corpus(tmp_path)
