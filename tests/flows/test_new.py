"""`convoy new` writes a domain that keeps the contract, trains, predicts and passes its tests."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from domains.errors import ParameterError
from flows import parameters
from flows.scaffold import new_domain
from tests.checkout import ROOT, Checkout

LONGEST = "a_name_of_24_characters1"


def python(checkout: Checkout, *arguments: str) -> str:
    """Output of ``python -m ARGUMENTS`` in the checkout, which must end well."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=checkout.root,
        env=checkout.environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files(root: Path) -> set[Path]:
    """All that lies in a checkout but what the suite itself keeps there."""
    found = {path.relative_to(root) for path in root.rglob("*")}
    return {path for path in found if path.parts[0] not in (".state", ".git")}


def test_the_path_of_the_guide_from_a_name_to_an_answer(checkout: Checkout) -> None:
    """The section "Adding a domain" of CONTRIBUTING.md, step by step."""
    root = checkout.root
    assert "try `convoy run tides`" in checkout.convoy("new", "tides")

    for name in ("checkout.py", "conftest.py", "domains/test_contract.py"):
        shutil.copyfile(ROOT / "tests" / name, root / "tests" / name)
    passed = python(checkout, "pytest", "tests/domains", "-q", "-k", "not toy")
    assert "failed" not in passed
    assert "skipped" not in passed

    checkout.convoy("run", "tides", "--no-server")
    page = (root / "outputs/report/tides.html").read_text()
    assert "lower (better) than straight line" in page
    assert "over 6 test cases" in page
    assert "simulated points of groups, no measurement" in page
    (root / "in.csv").write_text("x\n0.5\n")
    checkout.convoy("predict", "tides", "in.csv", "out.csv")
    assert (root / "out.csv").read_text().startswith("x,y\n0.5,")


@pytest.mark.parametrize("name", ["ab", "tides", LONGEST])
def test_what_is_written_is_clean_whatever_the_name(checkout: Checkout, name: str) -> None:
    written = new_domain(checkout.places, name)
    folders = [str(path) for path in written if path.is_dir()]
    python(checkout, "ruff", "check", *folders)
    python(checkout, "ruff", "format", "--check", *folders)
    for folder in folders:
        for path in Path(folder).rglob("*.*"):
            assert "template_domain" not in path.read_text()


def test_the_parameters_of_others_keep_every_letter(checkout: Checkout) -> None:
    before = (checkout.root / "params.yaml").read_text()
    new_domain(checkout.places, "tides")
    after = (checkout.root / "params.yaml").read_text()
    start = after.index("\n\ntides:\n")
    assert after[:start].replace("- tides\n", "") == before.rstrip("\n")
    assert parameters.read(checkout.places.params)["domains"] == ["toy", "tides"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Tides", "is no name for a domain: expected 2 to 24 small letters"),
        ("2tides", "is no name for a domain"),
        ("high-tides", "is no name for a domain"),
        ("import", "is no name for a domain"),
        ("../tides", "is no name for a domain"),
        (LONGEST + "a", "is no name for a domain"),
        ("toy", "toy is a domain of params.yaml"),
        ("domains", "domains is a key of params.yaml"),
        ("contract", "contract is a module of the suite"),
        ("flows", "flows is a module of the suite"),
        ("layers", "layers is a page of the report"),
    ],
)
def test_a_name_that_will_not_do_is_refused_and_nothing_is_written(
    checkout: Checkout, name: str, words: str
) -> None:
    before = files(checkout.root)
    with pytest.raises(ParameterError, match=r"^[^\n]*$") as caught:
        new_domain(checkout.places, name)
    assert words in str(caught.value)
    assert files(checkout.root) == before


def test_a_folder_that_is_there_is_left_alone(checkout: Checkout) -> None:
    note = checkout.root / "domains" / "tides" / "note.txt"
    note.parent.mkdir()
    note.write_text("mine")
    with pytest.raises(ParameterError, match="a folder already, domains/tides"):
        new_domain(checkout.places, "tides")
    assert note.read_text() == "mine"


def test_a_failure_at_the_last_step_leaves_nothing_behind(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("flows.scaffold.write_text", full)
    before = files(checkout.root / "domains")
    with pytest.raises(Exception, match=r"cannot be written: No space left on device$"):
        new_domain(checkout.places, "tides")
    assert files(checkout.root / "domains") == before


def test_a_list_in_another_style_is_told(checkout: Checkout) -> None:
    checkout.set("domains:\n- toy\n", "domains: [toy]\n")
    with pytest.raises(ParameterError, match="with a name on each line"):
        new_domain(checkout.places, "tides")
    assert not (checkout.root / "domains" / "tides").exists()
