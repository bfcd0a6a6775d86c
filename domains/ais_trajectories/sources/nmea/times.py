"""Receive times in NMEA logs: AIS itself carries only the second of the minute.

Read are ``$PGHP`` lines of Danish and Norwegian shore stations
(``$PGHP,1,year,month,day,hour,minute,second,millisecond,…*hh``), the field ``c:`` (s or ms since
1970) of NMEA 4.10 tag blocks (``\\s:station,c:1389052800*hh\\!AIVDM…``) and the number behind the
checksum that US Coast Guard loggers add (``…*hh,…,1389052800``).  A sentence was received at the
time that the log last named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from domains.ais_trajectories.sources.nmea.sentences import Block

_MILLISECONDS = 1e11  # as seconds this is the year 5138: larger numbers are milliseconds
_EARLIEST_S = 6e8  # 1989: smaller numbers are no receive time of AIS


@dataclass
class ReceiveTimes:
    """Times that a block names, by line, and what is wrong with its time lines."""

    line: NDArray  # (E,) ascending
    time_s: NDArray  # (E,)
    sentence_line: NDArray  # (S,)
    tag_is_wrong: NDArray  # (S,) whether the sentence's tag block fails its checksum
    refused: list[tuple[str, NDArray]]

    def of_sentences(self, before_s: float) -> NDArray:
        """(S,) the time last named at or before each sentence's line."""
        known = np.concatenate([[before_s], self.time_s])
        return known[np.searchsorted(self.line, self.sentence_line, side="right")]

    def last(self, before_s: float) -> float:
        """The time last named in the block."""
        return float(self.time_s[-1]) if len(self.time_s) else before_s


def receive_times(block: Block, sentence_line: NDArray, begin: NDArray) -> ReceiveTimes:
    """Times named in ``block``; sentences are given by line and by the position of their ``!``."""
    pghp_line, pghp_s, bad_pghp = _pghp(block)
    tag_line, tag_s, bad_tag = _tags(block, sentence_line, begin)
    tail_line, tail_s = _tails(block, sentence_line, begin)
    line = np.concatenate([pghp_line, tag_line, tail_line])
    order = np.argsort(line, kind="stable")
    time_s = np.concatenate([pghp_s, tag_s, tail_s])[order]
    lone = np.setdiff1d(bad_tag, sentence_line)
    return ReceiveTimes(
        line[order],
        time_s,
        sentence_line,
        np.isin(sentence_line, bad_tag),
        [("receive time line", bad_pghp), ("tag block checksum", lone)],
    )


def _pghp(block: Block) -> tuple[NDArray, NDArray, NDArray]:
    head = block.text[block.first[:, None] + np.arange(5)] if len(block.first) else np.zeros((0, 5))
    line = np.flatnonzero((head == np.frombuffer(b"$PGHP", np.uint8)).all(axis=1))
    first = block.first[line]
    comma = np.searchsorted(block.commas, first)[:, None] + np.arange(9)
    comma = block.commas[np.minimum(comma, len(block.commas) - 1)]  # (E, 9)
    part = np.stack(
        [whole_numbers(block.text, comma[:, i] + 1, comma[:, i + 1]) for i in range(1, 8)], axis=1
    )
    year, month, day, hour, minute, second, millisecond = part.T
    star = block.star_after(first)
    is_right = block.checksum_is_right(first + 1, star) & (star < block.end[line])
    is_right &= (comma[:, 8] < star) & (part >= 0).all(axis=1) & (year >= 1989) & (year < 2200)
    is_right &= (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    is_right &= (hour <= 23) & (minute <= 59) & (second <= 60) & (millisecond <= 999)
    months = ((year - 1970) * 12 + month - 1)[is_right].astype("datetime64[M]")
    days = months.astype("datetime64[D]").astype(np.int64) + day[is_right] - 1
    clock = (hour * 3600 + minute * 60 + second + millisecond / 1000)[is_right]
    return line[is_right], days * 86400.0 + clock, line[~is_right]


def _tags(block: Block, sentence_line: NDArray, begin: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    line = np.flatnonzero(block.text[block.first] == ord("\\"))
    if len(line) == 0:
        return line, np.zeros(0), line
    first = block.first[line] + 1
    first += block.text[first] == ord("\\")  # some programs write the backslash twice
    star = block.star_after(first)
    limit = block.end.copy()
    limit[sentence_line] = begin
    is_right = block.checksum_is_right(first, star) & (star < limit[line])
    is_right &= block.text[star + 3] == ord("\\")
    mark = np.flatnonzero((block.text[1:-1] == ord("c")) & (block.text[2:] == ord(":"))) + 1
    before = block.text[mark - 1]
    mark = mark[(before == ord(",")) | (before == ord("\\"))]
    mark = np.append(mark, block.commas[-1])  # behind all lines
    found = mark[np.searchsorted(mark, first)]
    has_time = is_right & (found < star)
    comma = block.commas[np.searchsorted(block.commas, found)]
    value = whole_numbers(block.text, found + 2, np.minimum(comma, star))
    has_time &= value >= _EARLIEST_S
    return line[has_time], _seconds(value[has_time]), line[~is_right]


def _tails(block: Block, sentence_line: NDArray, begin: NDArray) -> tuple[NDArray, NDArray]:
    """Numbers behind the last comma of a sentence, if that comma follows the checksum."""
    end = block.end[sentence_line]
    comma = block.commas[np.maximum(np.searchsorted(block.commas, end) - 1, 0)]
    has_tail = (comma > block.star_after(begin)) & (comma < end)
    value = whole_numbers(block.text, comma[has_tail] + 1, end[has_tail])
    is_time = value >= _EARLIEST_S
    return sentence_line[has_tail][is_time], _seconds(value[is_time])


def _seconds(value: NDArray) -> NDArray:
    return np.where(value > _MILLISECONDS, value / 1000.0, value.astype(np.float64))


def whole_numbers(array: NDArray[np.uint8], start: NDArray, end: NDArray) -> NDArray[np.int64]:
    """Decimal numbers (N,) written from ``start`` to ``end``; -1 where it is no such number."""
    value = np.zeros(len(start), dtype=np.int64)
    length = end - start
    is_number = (length > 0) & (length <= 18)
    for place in range(int(length[is_number].max(initial=0))):
        inside = is_number & (place < length)
        digit = array[np.where(inside, start + place, 0)].astype(np.int64) - ord("0")
        is_number &= ~inside | ((digit >= 0) & (digit <= 9))
        value = np.where(inside, value * 10 + digit, value)
    return np.where(is_number, value, -1)
