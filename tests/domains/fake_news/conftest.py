"""A small synthetic dataset, a trained task, and the parameters that the tests share."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from ruamel.yaml import YAML

from domains.fake_news.ingest import ingest
from domains.fake_news.params import FilesParams, NewsTrainParams
from domains.fake_news.train import Task, build
from flows.training import fit
from tests.checkout import ROOT

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
    """The block of ``params.yaml``."""
    return YAML(typ="safe").load((ROOT / "params.yaml").read_text())["fake_news"]


MODEL = {
    "network": "ti_cnn",
    "pooling": "max",
    "normalisation": "layer",
    "explicit": "all",
    "has_title_branch": False,
    "vocabulary": 200,
    "length": 60,
    "title_length": 8,
    "recurrent_length": 10,
    "embedding": 6,
    "filters": 4,
    "kernel": 3,
    "hidden": 8,
    "image_px": 16,
    "image_filters": 2,
    "dropout_embedding": 0.0,
    "dropout_branch": 0.0,
    "dropout_image": 0.0,
}
TRAIN = {
    "seed": 0,
    "max_steps": 8,
    "batch_size": 16,
    "lr": 0.01,
    "grad_clip": 0.0,
    "validate_every": 4,
    "patience": 10,
    "checkpoint_every": 3,
    "threads": 1,
    "accelerator": "cpu",
    "devices": "auto",
    "precision": "32-true",
    "weight_decay": 0.01,
    "num_seeds": 2,
    "peers": {"ti_cnn_text": 1, "kim_cnn": 1, "gru": 1},
    "posts_per_image": 8,
}
EVALUATE = {
    "bins": 10,
    "explained": 4,
    "minilm": False,
    "predict": {"words": 5, "language": "en"},
}


@pytest.fixture
def sections(ingest_params: dict) -> dict:
    """All sections of the block, small, free to be changed."""
    return {
        "ingest": ingest_params,
        "model": copy.deepcopy(MODEL),
        "train": copy.deepcopy(TRAIN),
        "evaluate": copy.deepcopy(EVALUATE),
    }


def fitted(dataset: Path, scratch: Path, model: dict, train: dict) -> Task:
    """A task trained on ``dataset`` by the engine."""
    torch.manual_seed(train["seed"])
    task, data = build(dataset, ingest=INGEST, model=model, train=train)
    params = NewsTrainParams.model_validate(train)
    fit(task, data, params, scratch, lambda *_: None, lambda *_: None)
    return task.eval()


@pytest.fixture(scope="session")
def trained(tiny_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Task:
    """A task trained for a few steps; use it, do not change it."""
    return fitted(tiny_dataset, tmp_path_factory.mktemp("scratch"), MODEL, TRAIN)
