"""What every process of the suite gets to see, whatever the user's own environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from flows import settings
from flows.settings import Places


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path, tmp_path / ".state")


def test_a_proxy_is_not_asked_for_our_own_servers(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "example.org")
    found = settings.environment(places)
    assert found["no_proxy"] == "127.0.0.1,localhost"
    assert found["NO_PROXY"] == "example.org,127.0.0.1,localhost"
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("NO_PROXY", found["NO_PROXY"])
    again = settings.environment(places)
    assert (again["no_proxy"], again["NO_PROXY"]) == ("*", found["NO_PROXY"])


def test_a_relative_store_is_one_file_from_every_folder(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(places.root)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///team.db")
    assert settings.tracking_uri(places) == f"sqlite:///{places.root}/team.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", settings.tracking_uri(places))
    monkeypatch.chdir("/")
    assert settings.tracking_uri(places) == f"sqlite:///{places.root}/team.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert settings.tracking_uri(places) == "http://127.0.0.1:9"
    assert settings.store_file(settings.tracking_uri(places)) is None


def test_a_locale_of_another_encoding_starts_python_again_in_utf8(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _, command: started.append(command))
    monkeypatch.setattr(sys, "argv", ["convoy", "status"])
    monkeypatch.setenv("PYTHONUTF8", "0")
    monkeypatch.setattr("locale.getpreferredencoding", lambda: "UTF-8")
    settings.ensure_utf8("flows")
    assert not started
    monkeypatch.setattr("locale.getpreferredencoding", lambda: "ISO-8859-1")
    settings.ensure_utf8("flows")
    assert started == [[sys.executable, "-m", "flows", "status"]]
    assert os.environ["PYTHONUTF8"] == "1"
