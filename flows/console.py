"""What a run looks like on a terminal: a bar for the run and for each stage; in a log: lines."""

from __future__ import annotations

import threading
import time

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from flows.runner import StageResult

_MARKS = {"ran": "✓", "restored": "✓", "unchanged": "·", "failed": "✗", "skipped": "-"}


class ConsoleListener:
    """A ``Listener`` that draws; use it as a context manager."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()
        self._live = self.console.is_terminal
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.fields[stage]:<28}"),
            BarColumn(bar_width=24),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._whole: TaskID | None = None
        self._planned = 0
        self._ended: set[str] = set()
        self._said: dict[str, float] = {}
        self._guard = threading.Lock()

    def __enter__(self) -> ConsoleListener:
        if self._live:
            self._bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live:
            self._bars.stop()

    def planned(self, stages: list[str]) -> None:
        """The stages that will run."""
        self._planned, self._ended = len(stages), set()
        if self._live:
            self._whole = self._bars.add_task(self._count(), total=len(stages), stage="all stages")

    def started(self, stage: str) -> None:
        """A stage begins (or is tried again)."""
        with self._guard:
            if self._live and stage not in self._tasks:
                self._tasks[stage] = self._bars.add_task("", total=None, stage=stage)
            elif not self._live:
                self._print(f"{stage}: started")

    def line(self, stage: str, text: str) -> None:
        """A line that the stage printed."""
        self._print(f"{stage}: {text}" if stage else text)

    def progress(self, stage: str, fraction: float, text: str) -> None:
        """How far the stage is."""
        if self._live:
            self._bars.update(self._tasks[stage], total=1.0, completed=fraction, description=text)
        elif time.monotonic() - self._said.get(stage, 0.0) > 10 or fraction >= 1:
            self._said[stage] = time.monotonic()
            self._print(f"{stage}: {fraction:.0%} {text}")

    def ended(self, result: StageResult) -> None:
        """The stage is done, failed or skipped."""
        with self._guard:
            self._ended.add(result.stage)
            if self._live and result.stage in self._tasks:
                self._bars.remove_task(self._tasks.pop(result.stage))
            if self._whole is not None:
                self._bars.update(
                    self._whole, completed=len(self._ended), description=self._count()
                )
        text = f"{_MARKS[result.outcome]} {result.stage}: {result.outcome}"
        text += f" in {result.seconds:.1f} s" if result.seconds else ""
        self._print(text + (f": {result.error}" if result.error else ""))

    def _count(self) -> str:
        return f"{len(self._ended)} of {self._planned}"

    def _print(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)
