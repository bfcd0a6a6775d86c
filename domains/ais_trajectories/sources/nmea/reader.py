"""A log of NMEA sentences, of any size, to tables of decoded messages."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domains.ais_trajectories.sources.nmea.fragments import Assembler
from domains.ais_trajectories.sources.nmea.payload import decode
from domains.ais_trajectories.sources.nmea.sentences import Sentences, find_sentences
from domains.ais_trajectories.sources.packed import BLOCK_BYTES, line_blocks
from domains.errors import DataError


def read_nmea(
    path: Path, rejected: Counter[str], refuse: bool = False, block_bytes: int = BLOCK_BYTES
) -> Iterator[dict[str, NDArray]]:
    """Columns of the messages in ``path``, a block of the file at a time, in its order.

    Args:
        path: text, plain or in gzip or zip.
        rejected: reason -> lines or messages that could not be decoded, added to.
        refuse: raise at the first of them instead.
        block_bytes: read at a time; memory is about twenty times that, whatever the file's size.

    Yields:
        time_s (NaN where the log names no time), vessel, message_type and those of
        ``fields.NOT_AVAILABLE``, each (N,).

    Raises:
        DataError: not text, cut short, or ``refuse`` and a bad line.
    """
    reader = _Reader(path, rejected, refuse)
    for text in line_blocks(path, block_bytes):
        yield reader.block(text)
    reader.close()


class _Reader:
    """What goes over from block to block: time, open fragments, the count of lines."""

    def __init__(self, path: Path, rejected: Counter[str], refuse: bool) -> None:
        self._path, self._rejected, self._refuse = path, rejected, refuse
        self._time_s = float("nan")
        self._num_lines = 0
        self._assembler = Assembler(rejected)

    def block(self, text: bytes) -> dict[str, NDArray]:
        found, self._time_s, num_lines, refused = find_sentences(text, self._time_s, self._rejected)
        if refused and self._refuse:
            line, reason = min(refused)
            raise DataError(
                f"ais_trajectories: {self._path}: line {self._num_lines + line + 1}: refused for "
                f"its {reason}; mend it, or set ingest.files.bad_sentences: count"
            )
        self._num_lines += num_lines
        whole, start, num_bits, time_s = self._messages(text, found)
        places, columns = decode(whole, start, num_bits, self._rejected)
        return {"time_s": time_s[places], **columns}

    def close(self) -> None:
        self._assembler.close()

    def _messages(
        self, text: bytes, found: Sentences
    ) -> tuple[NDArray[np.uint8], NDArray, NDArray, NDArray]:
        """Characters, start, bits and time of messages, in the order of their last sentence."""
        is_single = found.total == 1
        single = found.take(is_single)
        joined = io.BytesIO()
        extra: list[tuple[int, int, int, float]] = []  # line, start, bits, time
        rows = found.take(~is_single)
        for line, time_s, total, number, sequence, channel, start, end, fill in zip(
            *(getattr(rows, name).tolist() for name in rows.__dataclass_fields__), strict=True
        ):
            key = (sequence, channel, total)
            message = self._assembler.add(key, number, text[start:end], time_s)
            if message is not None:
                place = len(text) + joined.tell()
                extra.append((line, place, 6 * len(message[0]) - fill, message[1]))
                joined.write(message[0])
        whole = np.frombuffer(text + joined.getvalue(), dtype=np.uint8)
        more = np.array(extra, dtype=np.float64).reshape(-1, 4)
        line = np.concatenate([single.line, more[:, 0].astype(np.int64)])
        start = np.concatenate([single.start, more[:, 1].astype(np.int64)])
        bits = 6 * (single.end - single.start) - single.fill
        bits = np.concatenate([bits, more[:, 2].astype(np.int64)])
        time_s = np.concatenate([single.time_s, more[:, 3]])
        order = np.argsort(line, kind="stable")
        return whole, start[order], bits[order], time_s[order]
