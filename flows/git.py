"""The commit a result comes from; a folder without git is a state of its own, not an error."""

from __future__ import annotations

import subprocess
from pathlib import Path


def describe(root: Path) -> dict[str, str]:
    """``{"commit": ..., "dirty": "true" | "false"}``, or nothing outside a git checkout."""
    try:
        commit = _git(root, "rev-parse", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return {}
    return {"commit": commit, "dirty": "true" if changed else "false"}


def last_change(root: Path, path: Path) -> str:
    """Date of the last commit that changed ``path``, ``""`` where git knows of none."""
    try:
        return _git(root, "log", "-1", "--format=%cs", "--", str(path))
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
