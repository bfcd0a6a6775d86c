"""Messages that came in several sentences, put together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

_MAX_OPEN = 1000  # a log of many stations interleaves tens; more would be lost ones piling up
_MAX_WAIT_S = 60.0  # later fragments belong to another message: identifiers are only 0 to 9


@dataclass
class _Open:
    """A message of which sentences are missing."""

    time_s: float
    parts: dict[int, bytes] = field(default_factory=dict)


class Assembler:
    """Joins fragments by sequence identifier, channel and total; remembers them between blocks."""

    def __init__(self, rejected: Counter[str]) -> None:
        self._rejected = rejected
        self._open: dict[tuple[int, int, int], _Open] = {}

    def add(
        self,
        key: tuple[int, int, int],
        number: int,
        payload: bytes,
        time_s: float,
    ) -> tuple[bytes, float] | None:
        """The whole payload and its first fragment's time, once the last fragment is there.

        Args:
            key: sequence identifier, channel, number of fragments.
            number: of this fragment, from 1.
            payload: its characters.
            time_s: its receive time.
        """
        message = self._open.pop(key, None)
        if message is not None and abs(time_s - message.time_s) > _MAX_WAIT_S:
            self._rejected["message with fragments missing"] += 1
            message = None
        if message is not None and number in message.parts:
            if message.parts[number] == payload:  # a second station heard the same
                self._open[key] = message
                return None
            self._rejected["message with fragments missing"] += 1
            message = None
        message = message or _Open(time_s)
        message.parts[number] = payload
        if len(message.parts) == key[2]:
            return b"".join(message.parts[n] for n in sorted(message.parts)), message.time_s
        self._open[key] = message
        if len(self._open) > _MAX_OPEN:
            del self._open[next(iter(self._open))]
            self._rejected["message with fragments missing"] += 1
        return None

    def close(self) -> None:
        """Count what never became whole."""
        self._rejected["message with fragments missing"] += len(self._open)
        self._open.clear()
