"""What the README names is there."""

from __future__ import annotations

import re
from pathlib import Path

from domains.medical_segmentation.params import Params

FOLDER = Path(__file__).parents[3] / "domains" / "medical_segmentation"


def test_every_key_that_the_readme_names_is_a_key() -> None:
    named = set(re.findall(r"\b((?:ingest|model|train|evaluate)(?:\.[a-z_]+)+)", text()))
    assert len(named) > 5
    for name in named:
        schema: type = Params
        for part in name.split("."):
            assert part in schema.model_fields, f"{name}: no key {part}"
            schema = schema.model_fields[part].annotation


def test_every_file_that_the_readme_names_is_a_file() -> None:
    named = set(re.findall(r"`((?:models|science|sources)/\w+\.py)", text()))
    assert len(named) > 5
    assert [name for name in named if not (FOLDER / name).is_file()] == []


def text() -> str:
    return (FOLDER / "README.md").read_text()
