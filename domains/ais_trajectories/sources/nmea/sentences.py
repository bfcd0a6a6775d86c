"""The AIS sentences of a block of whole lines, found by array operations over its bytes.

Legend: L lines, S sentences; positions are offsets into the block.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from domains.ais_trajectories.sources.nmea.times import receive_times

_PADDING = 64  # zeros behind the block: looking ahead of a cut line stays inside
_HEX = np.full(256, 255, dtype=np.uint8)
_HEX[[ord(digit) for digit in "0123456789ABCDEF"]] = np.arange(16)
_HEX[[ord(digit) for digit in "abcdef"]] = np.arange(10, 16)
_NUM_COMMAS = 6
_IS_SEXTET = np.zeros(256, dtype=bool)
_IS_SEXTET[48:88] = _IS_SEXTET[96:120] = True


@dataclass
class Sentences:
    """Valid AIS sentences, one array (S,) per quantity.

    Args:
        line: place of the line in the block.
        time_s: receive time, s since 1970; NaN where the log names none.
        total: fragments of the message.
        number: which of them this is, from 1.
        sequence: identifier that fragments share, -1 if empty.
        channel: A, B as byte, 0 if empty.
        start: position of the payload.
        end: position after it.
        fill: bits to leave out at its end, 0 to 5.
    """

    line: NDArray
    time_s: NDArray
    total: NDArray
    number: NDArray
    sequence: NDArray
    channel: NDArray
    start: NDArray
    end: NDArray
    fill: NDArray

    def take(self, rows: NDArray) -> Sentences:
        """Those rows alone."""
        return Sentences(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass
class Block:
    """Bytes of whole lines, with the places of what sentences are made of."""

    text: NDArray[np.uint8]
    first: NDArray  # (L,) position of the line's first byte
    end: NDArray  # (L,) position after its last byte, without \\r
    commas: NDArray  # positions; then some behind all lines, so that there is always a next one
    stars: NDArray  # likewise

    @staticmethod
    def of(text: bytes) -> Block:
        """The block of ``text``, which ends in a newline."""
        array = np.frombuffer(text + bytes(_PADDING), dtype=np.uint8)
        newlines = np.flatnonzero(array == ord("\n"))
        first = np.concatenate([[0], newlines[:-1] + 1])
        end = newlines - ((newlines > first) & (array[newlines - 1] == ord("\r")))
        commas = np.append(np.flatnonzero(array == ord(",")), [len(text)] * 16)
        stars = np.append(np.flatnonzero(array == ord("*")), len(text))
        return Block(array, first, end, commas, stars)

    def star_after(self, position: NDArray) -> NDArray:
        """Position of the next ``*`` at or after each position."""
        return self.stars[np.searchsorted(self.stars, position)]

    def checksum_is_right(self, begin: NDArray, star: NDArray) -> NDArray:
        """Whether the two digits after ``star`` are the XOR of the bytes from ``begin`` to it."""
        if len(begin) == 0:
            return np.zeros(0, dtype=bool)
        pairs = np.stack([begin, np.maximum(star, begin + 1)], axis=1).ravel()
        found = np.bitwise_xor.reduceat(self.text, pairs)[::2]
        high, low = _HEX[self.text[star + 1]], _HEX[self.text[star + 2]]
        return (star > begin) & (high < 16) & (low < 16) & (found == high * 16 + low)


def find_sentences(
    text: bytes, time_s: float, rejected: Counter[str]
) -> tuple[Sentences, float, int, list[tuple[int, str]]]:
    """Sentences of ``text``, the last receive time, its number of lines, and what was refused.

    Args:
        text: whole lines.
        time_s: receive time known before the block; NaN if none.
        rejected: reason -> lines, added to.

    Returns:
        The sentences, the receive time behind the block, the number of lines, and the first
        refused line of each reason.
    """
    block = Block.of(text)
    bangs = np.flatnonzero(block.text == ord("!"))
    bang_line = np.searchsorted(block.end, bangs)
    is_first = np.ones(len(bangs), dtype=bool)
    is_first[1:] = bang_line[1:] != bang_line[:-1]
    begin, line = bangs[is_first], bang_line[is_first]
    is_double = np.bincount(bang_line, minlength=len(block.end))[line] > 1

    times = receive_times(block, line, begin)
    first_refused: list[tuple[int, str]] = []
    _note(times.refused, rejected, first_refused)

    star = block.star_after(begin)
    comma = np.searchsorted(block.commas, begin)[:, None] + np.arange(_NUM_COMMAS)
    comma = block.commas[comma]  # (S, 6)
    num_commas = np.searchsorted(block.commas, star) - np.searchsorted(block.commas, begin)
    head = block.text[begin[:, None] + np.arange(3, 6)]  # (S, 3)
    is_ais = (head[:, :2] == [ord("V"), ord("D")]).all(1) & np.isin(head[:, 2], [77, 79])
    found = _fields(block, line, times.of_sentences(time_s), comma)
    bad_payload = np.concatenate([[0], np.cumsum(~_IS_SEXTET[block.text], dtype=np.int32)])
    is_whole = (star + 2 < block.end[line]) & (num_commas == _NUM_COMMAS)
    reasons = [
        ("two sentences on one line", is_double),
        ("tag block checksum", times.tag_is_wrong),
        ("not an AIS sentence", ~is_ais),
        ("sentence cut or without its seven fields", ~is_whole),
        ("checksum", ~block.checksum_is_right(begin + 1, star)),
        ("fragment number", _fragment_is_wrong(found, comma)),
        ("fill bits", (found.fill < 0) | (found.fill > 5) | (star != comma[:, 5] + 2)),
        (
            "payload",
            (bad_payload[found.end] != bad_payload[found.start]) | (found.start >= found.end),
        ),
    ]
    is_good = np.ones(len(begin), dtype=bool)
    for reason, is_bad in reasons:
        _note([(reason, line[is_good & is_bad])], rejected, first_refused)
        is_good &= ~is_bad
    is_text = (block.text[block.first] != ord("$")) & (block.text[block.first] != ord("\\"))
    is_text &= block.end > block.first
    is_text[line] = False
    _note(
        [("neither a sentence nor a tag block", np.flatnonzero(is_text))], rejected, first_refused
    )
    return found.take(is_good), times.last(time_s), len(block.end), first_refused


def _fields(block: Block, line: NDArray, time_s: NDArray, comma: NDArray) -> Sentences:
    """What the fields say, -1 where they are not a single digit."""

    def digit(left: int) -> NDArray:
        value = block.text[comma[:, left] + 1].astype(np.int64) - ord("0")
        return np.where((value >= 0) & (value <= 9), value, -1)

    def is_empty(left: int) -> NDArray:
        return comma[:, left + 1] == comma[:, left] + 1

    channel = np.where(is_empty(3), 0, block.text[comma[:, 3] + 1])
    return Sentences(
        line=line,
        time_s=time_s,
        total=digit(0),
        number=digit(1),
        sequence=np.where(is_empty(2), -1, digit(2)),
        channel=channel,
        start=comma[:, 4] + 1,
        end=comma[:, 5],
        fill=digit(5),
    )


def _fragment_is_wrong(found: Sentences, comma: NDArray) -> NDArray:
    one_digit = (comma[:, 1] == comma[:, 0] + 2) & (comma[:, 2] == comma[:, 1] + 2)
    return ~one_digit | (found.number < 1) | (found.number > found.total)


def _note(
    found: list[tuple[str, NDArray]], rejected: Counter[str], first: list[tuple[int, str]]
) -> None:
    for reason, lines in found:
        if len(lines):
            rejected[reason] += len(lines)
            first.append((int(lines[0]), reason))
