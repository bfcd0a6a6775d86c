"""The page on the layers shows measured numbers, says where from, and who uses what."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import shared_layers
from flows.layers_page import layer_users, layers_page
from flows.report import templates
from flows.settings import Places
from tests.checkout import ROOT

LIVE = {"mlstm": {"reference": "live", "triton": "triton is not installed"}}


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """A checkout with one domain; nothing is built to learn which kernels are live."""
    monkeypatch.setattr(shared_layers, "kernels_info", lambda: LIVE)
    (tmp_path / "domains/tides/models").mkdir(parents=True)
    (tmp_path / "domains/tides/models/wave.py").write_text(
        "from shared_layers import DepthwiseConv1d\nfrom shared_layers.conv import PHLinear\n"
    )
    (tmp_path / "domains/tides/models/half.py").write_text("from shared_layers import (\n")
    return Places(tmp_path, tmp_path / ".state")


def page(places: Places) -> str:
    """The page's text; its charts lie in ``report``."""
    out = places.root / "report"
    out.mkdir()
    return (
        templates()
        .get_template("layers.html.j2")
        .render(**layers_page(places, out), title="Layers")
    )


def test_every_measured_layer_has_its_parameters_time_and_users(places: Places) -> None:
    shutil.copytree(ROOT / "benchmarks/results", places.root / "benchmarks/results")
    text = page(places)
    rows = json.loads((ROOT / "benchmarks/results/shared_layers_layers_cpu.json").read_text())
    for row in rows["rows"]:
        assert f"<tr><td>{row['layer']}<" in text
        assert f'<td class="n">{row["parameters"]:,}</td>' in text
    assert f"Measured on {rows['machine']['processor']}" in text
    assert f"torch {rows['machine']['torch']}" in text
    assert "python -m benchmarks.shared_layers" in text
    assert 'href="tides.html"' in text
    assert "triton is not installed" in text
    for name in ("kernels.png", "layers.png"):
        assert (places.root / "report/layers" / name).is_file()


def test_without_measurements_the_page_says_how_to_make_them(places: Places) -> None:
    text = page(places)
    assert "benchmarks/results/shared_layers_cpu.json</code> is missing" in text
    assert "python -m benchmarks.shared_layers.layers</code> makes it" in text
    assert "triton is not installed" in text
    assert "<img" not in text


def test_users_are_those_whose_modules_import_a_layer(places: Places) -> None:
    """A file that is being written is passed over."""
    assert layer_users(places.root / "domains") == {
        "DepthwiseConv1d": ["tides"],
        "PHLinear": ["tides"],
    }
