"""The dataset on disk: written by ingest, read by everything else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from domains.errors import DataError
from domains.fake_news.science import image_features, text_features

Kind = Literal["grouped", "random"]

TEXT_COLUMNS = ("id", "title", "thread", "body", "source", "event", "origin", "date", "image")
FEATURES = (*text_features.NAMES, *image_features.NAMES)
IMAGE_FOLDER = "images"


@dataclass(frozen=True)
class Corpus:
    """A dataset in memory.

    Args:
        folder: where it lies.
        articles: one row per article, see the package's docstring.
        features: the same rows, columns ``FEATURES``, float32.
    """

    folder: Path
    articles: pd.DataFrame
    features: pd.DataFrame

    @property
    def num_folds(self) -> int:
        """Number of folds; both kinds have as many."""
        return sum(bool(re.fullmatch(r"grouped_\d+", name)) for name in self.articles.columns)

    def rows(self, role: str, kind: Kind = "grouped", fold: int = 0) -> NDArray[np.int64]:
        """Row numbers of one role in a fold, ascending.

        Raises:
            DataError: there is no such fold.
        """
        name = f"{kind}_{fold}"
        if name not in self.articles:
            raise DataError(
                f"{self.folder}: no column {name}, the dataset has {self.num_folds} folds; ingest "
                "it again with other ingest.split"
            )
        return np.flatnonzero(self.articles[name].to_numpy() == role)

    def table(self, rows: NDArray[np.int64]) -> pd.DataFrame:
        """Articles beside their features, as the baselines read them."""
        return pd.concat([self.articles.iloc[rows], self.features.iloc[rows]], axis=1)

    def picture(self, row: int) -> NDArray[np.uint8] | None:
        """(H, W, 3) picture of a row, ``None`` where it has none."""
        from PIL import Image

        name = self.articles["image"].iloc[row]
        if not name:
            return None
        with Image.open(self.folder / IMAGE_FOLDER / name) as image:
            return np.asarray(image.convert("RGB"))


def write_corpus(folder: Path, articles: pd.DataFrame, features: NDArray[np.float32]) -> None:
    """Write both tables; the same rows give the same bytes.

    Args:
        folder: of the dataset.
        articles: rows sorted by id.
        features: (N, len(FEATURES)).
    """
    fields = []
    for name in articles.columns:
        kind = {"label": pa.int8(), "duplicates": pa.int32()}.get(name, pa.string())
        fields.append(pa.field(name, kind, nullable=False))
    columns = [pa.array(articles[field.name].tolist(), field.type) for field in fields]
    _write(folder / "articles.parquet", pa.table(columns, schema=pa.schema(fields)))
    values = {"id": pa.array(articles["id"].tolist(), pa.string())}
    values.update({name: pa.array(features[:, i]) for i, name in enumerate(FEATURES)})
    _write(folder / "features.parquet", pa.table(values))


def _write(path: Path, table: pa.Table) -> None:
    pq.write_table(table, path, compression="zstd", store_schema=False)


def open_corpus(folder: Path | str) -> Corpus:
    """The dataset in ``folder``.

    Raises:
        DataError: a table is missing, or was written by another version.
    """
    folder = Path(folder)
    tables = {}
    for name in ("articles", "features"):
        path = folder / f"{name}.parquet"
        if not path.is_file():
            raise DataError(f"{path} is missing; run the ingest step of fake_news first")
        tables[name] = pq.read_table(path).to_pandas()
    articles, features = tables["articles"], tables["features"]
    expected = {*TEXT_COLUMNS, "label", "duplicates", "grouped_0", "random_0"}
    lacking = [*sorted(expected - set(articles)), *(n for n in FEATURES if n not in features)]
    if lacking or not articles["id"].equals(features["id"]):
        raise DataError(
            f"{folder}: {lacking[0] if lacking else 'ids of the two tables'} not as this version "
            "writes it; run the ingest step of fake_news again"
        )
    return Corpus(folder, articles, features[list(FEATURES)])
