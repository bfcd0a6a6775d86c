"""Six-bit payloads to physical quantities, a column at a time.

Legend: M messages, W characters (six bits each).
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from domains.ais_trajectories.sources.nmea.fields import (
    MESSAGE_TYPE,
    MESSAGES,
    NOT_AVAILABLE,
    VESSEL,
    Field,
    bits_needed,
)

_SEXTET = np.zeros(256, dtype=np.uint8)
_SEXTET[48:88] = np.arange(40)
_SEXTET[96:120] = np.arange(40, 64)
_HEAD_BITS = VESSEL.start + VESSEL.width
# rate of turn: the instrument shows 4.733 √(degrees per minute), M.1371-5 table 48
_ROT_FACTOR = 4.733
_ROT_WITHOUT_INSTRUMENT = 127  # ±127: turns faster than 5° in 30 s, no rate known


def decode(
    text: NDArray[np.uint8], start: NDArray, num_bits: NDArray, rejected: Counter[str]
) -> tuple[NDArray, dict[str, NDArray]]:
    """Quantities of messages, the place of each among those given, and what was too short.

    Args:
        text: payload characters of all messages.
        start: (M,) position of each message's first character.
        num_bits: (M,) its length without fill bits.
        rejected: reason -> messages, added to.

    Returns:
        Places (K,) ascending, and columns (K,): message_type, vessel and those of
        ``NOT_AVAILABLE``.
    """
    has_head = num_bits >= _HEAD_BITS
    rejected["message too short"] += int((~has_head).sum())
    place = np.flatnonzero(has_head)
    head = _matrix(text, start[place], _HEAD_BITS)
    kind, vessel = _bits(head, MESSAGE_TYPE), _bits(head, VESSEL)
    parts: list[dict[str, NDArray]] = []
    for message_type in MESSAGES:
        rows = np.flatnonzero(kind == message_type)
        is_long = num_bits[place[rows]] >= _bits_needed(message_type, text, start[place[rows]])
        rejected["message too short"] += int((~is_long).sum())
        rows = rows[is_long]
        if len(rows):
            columns = _quantities(text, start[place[rows]], message_type)
            parts.append({"place": place[rows], "vessel": vessel[rows], **columns})
    rejected["message of another type"] += int((~np.isin(kind, list(MESSAGES))).sum())
    if not parts:
        parts = [_nothing()]
    joined = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    order = np.argsort(joined.pop("place"), kind="stable")
    places = np.sort(np.concatenate([part["place"] for part in parts]))
    return places, {key: column[order] for key, column in joined.items()}


def _nothing() -> dict[str, NDArray]:
    whole = dict.fromkeys(("place", "vessel", "message_type"), np.zeros(0, dtype=np.int64))
    return {**whole, **dict.fromkeys(NOT_AVAILABLE, np.zeros(0))}


def _bits_needed(message_type: int, text: NDArray, start: NDArray) -> NDArray:
    """Part A of type 24 carries the name alone and ends before the ship type."""
    needed = np.full(len(start), bits_needed(message_type))
    if message_type == 24:
        part = MESSAGES[24]["part"]
        is_a = _bits(_matrix(text, start, part.start + part.width), part) == 0
        needed[is_a] = part.start + part.width
    return needed


def _quantities(text: NDArray, start: NDArray, message_type: int) -> dict[str, NDArray]:
    sextets = _matrix(text, start, bits_needed(message_type))
    fields = MESSAGES[message_type]
    columns = {
        name: _bits(sextets, fields[name]) * fields[name].scale
        if name in fields
        else np.full(len(start), missing)
        for name, missing in NOT_AVAILABLE.items()
    }
    if message_type == 24:
        columns["ship_type"][_bits(sextets, fields["part"]) != 1] = NOT_AVAILABLE["ship_type"]
    if message_type == 27:
        columns["sog_kn"][columns["sog_kn"] == 63] = NOT_AVAILABLE["sog_kn"]
        columns["cog_deg"][columns["cog_deg"] == 511] = NOT_AVAILABLE["cog_deg"]
    if message_type == 9:
        columns["sog_kn"][columns["sog_kn"] == 1023] = NOT_AVAILABLE["sog_kn"]
    if "sog_kn" in fields:
        columns["sog_kn"], columns["cog_deg"] = (
            columns["sog_kn"].round(1),
            columns["cog_deg"].round(1),
        )
    if "rot_deg_min" in fields:
        columns["rot_deg_min"] = _rate_of_turn(columns["rot_deg_min"])
    return {"message_type": np.full(len(start), message_type), **columns}


def _rate_of_turn(raw: NDArray) -> NDArray:
    """Degrees per minute; ±127 (no instrument) and -128 (not available) stay."""
    rate = np.sign(raw) * (raw / _ROT_FACTOR) ** 2
    return np.where(np.abs(raw) >= _ROT_WITHOUT_INSTRUMENT, raw, rate)


def _matrix(text: NDArray, start: NDArray, num_bits: int) -> NDArray[np.uint8]:
    """(M, W) six-bit values from each start on; what lies beyond a short message is noise."""
    width = -(-num_bits // 6)
    place = start[:, None] + np.arange(width)
    return _SEXTET[text[np.minimum(place, len(text) - 1)]]


def _bits(sextets: NDArray, field: Field) -> NDArray[np.int64]:
    """(M,) the number in the bits of ``field``."""
    first, last = field.start // 6, (field.start + field.width - 1) // 6
    value = np.zeros(len(sextets), dtype=np.int64)
    for column in range(first, last + 1):
        value = (value << 6) | sextets[:, column]
    value = (value >> (6 * (last + 1) - field.start - field.width)) & ((1 << field.width) - 1)
    if field.signed:
        value -= (value >> (field.width - 1)) << field.width
    return value
