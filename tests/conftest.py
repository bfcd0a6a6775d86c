"""Fixtures: checkouts, fresh or already run, and the real samples."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checkout import ROOT, Checkout, clean, make_checkout

TEST_DATA = Path(os.environ.get("CONVOY_TEST_DATA", ROOT.parent / "shared" / "data"))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # so it is in the background; the runs that tests start would inherit it and not hear Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _forget_servers() -> None:
    for name in ("PREFECT_API_URL", "MLFLOW_TRACKING_URI", "CONVOY_ROOT", "CONVOY_STATE"):
        os.environ.pop(name, None)


_forget_servers()


@pytest.fixture(autouse=True)
def own_stores() -> Iterator[None]:
    """Tests use servers and stores of their own; MLflow leaves the last address in a variable."""
    yield
    _forget_servers()


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    """A fresh checkout; what still runs in it at the end is killed."""
    made = make_checkout(tmp_path / "checkout")
    yield made
    clean(made)


@pytest.fixture(scope="session")
def finished_checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout whose pipeline has run once; copy it, do not change it."""
    made = make_checkout(tmp_path_factory.mktemp("finished") / "checkout")
    made.convoy("run", "--no-server")
    made.wait_for(lambda: not made.processes())
    return made


@pytest.fixture
def finished(finished_checkout: Checkout, tmp_path: Path) -> Iterator[Checkout]:
    """A copy of a checkout whose pipeline has run."""
    shutil.copytree(finished_checkout.root, tmp_path / "checkout", symlinks=True)
    made = Checkout(tmp_path / "checkout")
    yield made
    clean(made)


@pytest.fixture(scope="module")
def served(
    finished_checkout: Checkout, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Checkout]:
    """A copy of it for a module's tests, which share its local servers."""
    root = tmp_path_factory.mktemp("served") / "checkout"
    shutil.copytree(finished_checkout.root, root, symlinks=True)
    made = Checkout(root)
    yield made
    clean(made)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real samples; tests that need it are skipped where it is absent."""
    if not TEST_DATA.is_dir():
        pytest.skip(f"no real samples at {TEST_DATA} (set CONVOY_TEST_DATA)")
    return TEST_DATA
