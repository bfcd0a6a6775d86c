"""The command line answers at once, and in one line when something is wrong."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.checkout import ROOT, Checkout


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from flows.cli import app;"
        "print(CliRunner().invoke(app, ['--help']).output);"
        "print([m for m in ('torch', 'mlflow', 'prefect', 'pandas', 'dvc') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip().endswith("[]"), done.stdout + done.stderr
    for command in ("list", "run", "status", "predict", "compare", "report", "schedule", "sync"):
        assert f" {command} " in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "tooy"), "no domain 'tooy'; did you mean `toy`"),
        (("run", "--no-server", "-S", "toy.train.lrr=1"), "did you mean `toy.train.lr`"),
        (("compare", "tooy"), "did you mean `toy`"),
        (("schedule", "absent.yaml"), "absent.yaml: no such file"),
        (("predict", "toy", "params.yaml", "out.csv"), "model.json is missing; run the train step"),
    ],
)
def test_a_mistake_is_answered_in_one_line(
    checkout: Checkout, arguments: tuple[str, ...], words: str
) -> None:
    output = checkout.convoy(*arguments, code=1)
    assert output.startswith("error: ")
    assert words in output
    assert len(output.strip().splitlines()) == 1


def test_outside_a_checkout_the_message_says_where_to_go(tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flows", "status"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "no dvc.yaml and params.yaml here or above" in done.stderr


def test_debug_gives_the_traceback(checkout: Checkout) -> None:
    assert "Traceback" in checkout.convoy("--debug", "run", "tooy", code=1)


def test_list_status_doctor_and_sync_answer(finished: Checkout) -> None:
    assert "straight line" in finished.convoy("list", COLUMNS="200")
    assert finished.convoy("status").count("up to date") == 4
    assert "free disk" in finished.convoy("doctor")
    assert "still waiting" in finished.convoy("sync")
