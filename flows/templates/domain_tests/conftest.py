"""Parameters and a dataset that the tests of template_domain share."""

from __future__ import annotations

from pathlib import Path

import pytest

from domains.template_domain.ingest import ingest
from domains.template_domain.train import Task, build

PARAMS = {
    "ingest": {
        "validate_share": 0.2,
        "test_share": 0.2,
        "sample": {"seed": 0, "groups": 10, "points": 20, "noise_m": 0.1},
    },
    "model": {"width": 8, "depth": 1},
    "train": {"seed": 0, "batch_size": 16, "lr": 0.01, "weight_decay": 0.0, "max_steps": 10},
    "evaluate": {"figure_groups": 2},
}


@pytest.fixture
def params() -> dict:
    """A small block of params.yaml, as far as the functions read it."""
    return PARAMS


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """The sample, ingested."""
    out = tmp_path / "dataset"
    out.mkdir()
    ingest("sample", out, **PARAMS).save(out)
    return out


@pytest.fixture
def task(dataset: Path) -> Task:
    """Not trained, with the statistics of the sample."""
    return build(dataset, **PARAMS)[0]
