"""Where each quantity lies in an AIS message, and its unit.

Rec. ITU-R M.1371-5 (2014), Annex 8.  Numbers keep the "not available" values of the standard, in
one form for all message types: longitude 181, latitude 91 (degrees), speed 102.3 (knots), course
360, heading 511 (degrees), rate of turn -128, status 15, ship type 0.
"""

from __future__ import annotations

from typing import NamedTuple


class Field(NamedTuple):
    """Bits ``start`` to ``start + width - 1`` of a message, a whole number times ``scale``."""

    start: int
    width: int
    signed: bool = False
    scale: float = 1.0


def _position(start: int) -> dict[str, Field]:
    """Longitude and latitude in 1/10,000 minute."""
    return {
        "longitude": Field(start, 28, True, 1 / 600_000),
        "latitude": Field(start + 28, 27, True, 1 / 600_000),
    }


MESSAGE_TYPE = Field(0, 6)
VESSEL = Field(8, 30)

_CLASS_A = {
    "status": Field(38, 4),
    "rot_deg_min": Field(42, 8, True),
    "sog_kn": Field(50, 10, scale=0.1),
    **_position(61),
    "cog_deg": Field(116, 12, scale=0.1),
    "heading_deg": Field(128, 9),
}
_CLASS_B = {
    "sog_kn": Field(46, 10, scale=0.1),
    **_position(57),
    "cog_deg": Field(112, 12, scale=0.1),
    "heading_deg": Field(124, 9),
}

MESSAGES: dict[int, dict[str, Field]] = {
    1: _CLASS_A,
    2: _CLASS_A,
    3: _CLASS_A,
    4: _position(79),  # base station
    5: {"ship_type": Field(232, 8)},
    9: {"sog_kn": Field(50, 10), **_position(61), "cog_deg": Field(116, 12, scale=0.1)},  # aircraft
    18: _CLASS_B,
    19: {**_CLASS_B, "ship_type": Field(263, 8)},
    21: _position(164),  # aid to navigation
    24: {"part": Field(38, 2), "ship_type": Field(40, 8)},  # the type in part B (1) alone
    27: {  # long range, through satellites
        "status": Field(40, 4),
        "longitude": Field(44, 18, True, 1 / 600),
        "latitude": Field(62, 17, True, 1 / 600),
        "sog_kn": Field(79, 6),
        "cog_deg": Field(85, 9),
    },
}
"""Message type -> quantity -> bits.  Other types carry nothing that a track needs."""

NOT_AVAILABLE = {
    "longitude": 181.0,
    "latitude": 91.0,
    "sog_kn": 102.3,
    "cog_deg": 360.0,
    "heading_deg": 511.0,
    "rot_deg_min": -128.0,
    "status": 15.0,
    "ship_type": 0.0,
}


def bits_needed(message_type: int) -> int:
    """Length in bits that a message must have for all its quantities to be there."""
    return max(field.start + field.width for field in MESSAGES[message_type].values())
