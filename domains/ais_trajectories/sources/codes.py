"""Words of AIS exports and the numbers that the standard gives them (ITU-R M.1371-5)."""

from __future__ import annotations

# Danish Maritime Authority, column "Ship type"; tables 53: the tens tell the kind
SHIP_TYPES = {
    "wig": 20,
    "fishing": 30,
    "towing": 31,
    "towing long/wide": 32,
    "dredging": 33,
    "diving": 34,
    "military": 35,
    "sailing": 36,
    "pleasure": 37,
    "hsc": 40,
    "pilot": 50,
    "sar": 51,
    "tug": 52,
    "port tender": 53,
    "anti-pollution": 54,
    "law enforcement": 55,
    "medical": 58,
    "passenger": 60,
    "cargo": 70,
    "tanker": 80,
    "other": 90,
}

STATUSES = {
    "under way using engine": 0,
    "at anchor": 1,
    "not under command": 2,
    "restricted maneuverability": 3,
    "constrained by her draught": 4,
    "moored": 5,
    "aground": 6,
    "engaged in fishing": 7,
    "under way sailing": 8,
    "ais-sart (active)": 14,
}

# Danish Maritime Authority, column "Type of mobile" -> the message type that stands for it
MOBILES = {
    "class a": 1,
    "class b": 18,
    "base station": 4,
    "aton": 21,
    "sar airborne": 9,
    "search and rescue transponder": 9,
    "man overboard device": 9,
}
