"""Physical quantities to NMEA sentences: the inverse of the reader, for the simulator and tests."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from domains.ais_trajectories.sources.nmea.fields import MESSAGE_TYPE, MESSAGES, VESSEL, Field

_LENGTH_BITS = {1: 168, 2: 168, 3: 168, 4: 168, 5: 424, 18: 168, 19: 312, 21: 272, 24: 168, 27: 96}
_ALPHABET = np.frombuffer(
    bytes([*range(48, 88), *range(96, 120)]), dtype=np.uint8
)  # character of each six-bit value
_PER_SENTENCE = 60  # characters of payload; NMEA allows 82 in a whole line
_ROT_FACTOR = 4.733  # as in payload.py


def encode(message_type: int, columns: Mapping[str, NDArray]) -> NDArray[np.uint8]:
    """Payload characters (M, W) of messages of one type.

    Args:
        message_type: one of those with a known length.
        columns: vessel and the quantities of ``fields.MESSAGES`` (M,); what is left out is zero.
    """
    num_bits = _LENGTH_BITS[message_type]
    vessel = np.asarray(columns["vessel"], dtype=np.int64)
    bits = np.zeros((len(vessel), -(-num_bits // 6) * 6), dtype=np.uint8)
    _put(bits, MESSAGE_TYPE, np.full(len(vessel), message_type))
    _put(bits, VESSEL, vessel)
    for name, field in MESSAGES[message_type].items():
        if name in columns:
            value = np.asarray(columns[name], dtype=np.float64)
            if name == "rot_deg_min":
                value = np.where(
                    value == -128, -128, _ROT_FACTOR * np.sign(value) * np.sqrt(np.abs(value))
                )
            _put(bits, field, np.rint(value / field.scale).astype(np.int64))
    sextets = bits.reshape(len(bits), -1, 6) @ (1 << np.arange(5, -1, -1)).astype(np.uint8)
    return _ALPHABET[sextets]


def fill_bits(message_type: int) -> int:
    """Bits beyond the message in its last character."""
    return -_LENGTH_BITS[message_type] % 6


def sentences(
    payload: NDArray[np.uint8], time_s: NDArray, channel: str, fill: int, sequence: int = 0
) -> list[bytes]:
    """Lines of messages of one length, each with a tag block ``\\s:SIMULATED,c:…*hh\\``.

    Args:
        payload: (M, W) characters.
        time_s: (M,) receive time, written in whole milliseconds.
        channel: A or B.
        fill: bits to leave out at the end.
        sequence: identifier of messages of several fragments.

    Returns:
        For each message its line, or its lines joined, with newlines.
    """
    stamp = np.char.zfill(np.rint(time_s * 1000).astype(np.int64).astype(str), 13)
    stamps = np.frombuffer("".join(stamp).encode(), dtype=np.uint8).reshape(len(payload), -1)
    tag = _with_checksum([b"s:SIMULATED,c:", stamps], len(payload))
    parts = np.split(payload, range(_PER_SENTENCE, payload.shape[1], _PER_SENTENCE), axis=1)
    columns: list[bytes | NDArray] = []
    for number, part in enumerate(parts, start=1):
        name = f"{sequence}" if len(parts) > 1 else ""
        head = f"AIVDM,{len(parts)},{number},{name},{channel},".encode()
        tail = f",{fill if number == len(parts) else 0}".encode()
        columns += [b"\\", tag, b"\\!", _with_checksum([head, part, tail], len(payload)), b"\r\n"]
    lines = _beside(columns, len(payload))
    return [line.tobytes() for line in lines]


def _put(bits: NDArray[np.uint8], field: Field, value: NDArray) -> None:
    """Write whole numbers (two's complement) into the bits of ``field``."""
    shifts = np.arange(field.width - 1, -1, -1)
    bits[:, field.start : field.start + field.width] = (value[:, None] >> shifts) & 1


def _with_checksum(parts: list[bytes | NDArray], num: int) -> NDArray[np.uint8]:
    body = _beside(parts, num)
    checksum = np.bitwise_xor.reduce(body, axis=1)
    digits = np.frombuffer(b"0123456789ABCDEF", dtype=np.uint8)
    ends = np.stack([digits[checksum >> 4], digits[checksum & 15]], axis=1)
    return _beside([body, b"*", ends], num)


def _beside(parts: list[bytes | NDArray], num: int) -> NDArray[np.uint8]:
    """Columns of characters (M, …) side by side; bytes are the same in each row."""
    return np.concatenate(
        [
            np.broadcast_to(np.frombuffer(part, np.uint8), (num, len(part)))
            if isinstance(part, bytes)
            else part
            for part in parts
        ],
        axis=1,
    )
