"""What the READMEs promise exists."""

from __future__ import annotations

import re

import pytest

from flows.cli import app
from tests.checkout import ROOT

READMES = [ROOT / "README.md", *sorted(ROOT.glob("domains/*/README.md"))]


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.parent.name)
def test_every_command_and_option_named_exists(path) -> None:
    commands = {c.name or c.callback.__name__ for c in app.registered_commands}
    named = re.findall(r"(?m)^\s*convoy ([a-z]+)|`convoy ([a-z]+)", path.read_text())
    assert {first or second for first, second in named} <= commands


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.parent.name)
def test_every_link_leads_to_a_file(path) -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", path.read_text()):
        assert (path.parent / target).exists(), target


def test_the_readme_is_short_enough_to_be_read() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_make_targets_of_the_first_screen_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?m)^make (\w+)", (ROOT / "README.md").read_text()):
        assert re.search(rf"(?m)^{target}:", makefile), target
