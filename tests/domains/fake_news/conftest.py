"""A small synthetic dataset and the parameters that the tests of fake_news share."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from ruamel.yaml import YAML

from domains.fake_news.ingest import ingest
from domains.fake_news.params import FilesParams

FILES = {
    "format": "columns",
    "kind": "article",
    "columns": {
        "id": "id",
        "title": "title",
        "thread": None,
        "body": "text",
        "label": "label",
        "source": "source",
        "event": None,
        "date": None,
        "image": None,
    },
    "encoding": "auto",
    "delimiter": "auto",
    "quoting": "minimal",
    "fake_labels": ["fake", "1"],
    "real_labels": ["real", "0"],
    "images": None,
}
INGEST = {
    "seed": 0,
    "clean": {"min_words": 30, "min_words_post": 4, "language": "en"},
    "duplicates": {"threshold": 0.5, "action": "keep_together"},
    "split": {"group_by": None, "leave_out": None, "folds": 2, "validate_share": 0.25},
    "images": {"size_px": 32, "max_pixels": 1_000_000},
    "sample": {
        "articles": 220,
        "publishers": 12,
        "events": 8,
        "image_share": 0.3,
        "style": 1.8,
        "leak": 0.9,
    },
    "public": {"corpus": "horne", "max_posts_per_image": 3},
    "files": FILES,
}


@pytest.fixture
def ingest_params() -> dict:
    """The block ``ingest``, small, free to be changed."""
    return copy.deepcopy(INGEST)


@pytest.fixture
def files_params() -> Callable[..., FilesParams]:
    """``files_params(key=value, columns={...})``: the block ``ingest.files`` with changes."""

    def make(columns: dict | None = None, **changes: object) -> FilesParams:
        block = {**copy.deepcopy(FILES), **changes}
        block["columns"] = {**FILES["columns"], **(columns or {})}  # type: ignore[dict-item]
        return FilesParams.model_validate(block)

    return make


@pytest.fixture(scope="session")
def tiny_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dataset of 220 synthetic articles; read it, do not change it."""
    folder = tmp_path_factory.mktemp("news") / "dataset"
    ingest("sample", folder, ingest=copy.deepcopy(INGEST))
    return folder


@pytest.fixture
def encoded() -> Callable[..., bytes]:
    """``encoded(image, kind, **options)``: the bytes of a picture file."""

    def encode(image: Image.Image, kind: str, **options: object) -> bytes:
        stream = io.BytesIO()
        image.save(stream, kind, **options)
        return stream.getvalue()

    return encode


@pytest.fixture(scope="session")
def params_block() -> dict:
    """The block of ``params.yaml``, wherever it is written by now."""
    import domains.fake_news

    folder = Path(domains.fake_news.__file__).parent
    path = folder / "params_block.yaml"
    if not path.is_file():
        path = folder.parents[1] / "params.yaml"
    return YAML(typ="safe").load(path.read_text())["fake_news"]
