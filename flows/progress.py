"""Progress of a step: a bar on a terminal, ``@progress`` lines in a pipe.

``@progress 0.35 step 70/200`` is what the runner understands; it draws the bar, feeds Prefect's
progress artifact, and keeps these lines out of the log.
"""

from __future__ import annotations

import sys
import time

MARK = "@progress "


class Progress:
    """Reports ``step`` of ``total``, at most once a second.

    Args:
        title: shown in front of the bar.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self._next = 0.0

    def __call__(self, step: int, total: int, text: str) -> None:
        """Say that ``step`` of ``total`` is done."""
        now = time.monotonic()
        if now < self._next and step < total:
            return
        self._next = now + 1.0
        if sys.stdout.isatty():
            filled = round(30 * step / total)
            bar = "━" * filled + " " * (30 - filled)
            end = "\n" if step >= total else ""
            print(f"\r{self.title} {bar} {text}", end=end, flush=True)
        else:
            print(f"{MARK}{step / total:.3f} {text}", flush=True)


def parse(line: str) -> tuple[float, str] | None:
    """Fraction and text of a progress line, ``None`` for other lines."""
    if not line.startswith(MARK):
        return None
    fraction, _, text = line.removeprefix(MARK).partition(" ")
    return float(fraction), text.strip()
