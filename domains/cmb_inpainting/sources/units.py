"""Which unit a temperature map is in: its card, else the spread of its values."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from domains.errors import DataError

MICROKELVIN = {"K": 1e6, "mK": 1e3, "uK": 1.0}

# what fits one unit alone: the CMB varies by 30 to 150 µK, and a foreground may add to it
_SPREADS = {"uK": (5.0, 2e3), "mK": (5e-3, 2.0), "K": (5e-6, 2e-3)}


def unit_scale(
    card: str, values: NDArray[np.float64], wanted: str, where: str
) -> tuple[float, str | None]:
    """How many µK one unit of the map is, and a sentence if that was assumed.

    Args:
        card: the file's unit card, ``""`` without.
        values: the map, NaN where nothing is.
        wanted: ``auto``, or K, mK, uK, which then counts.
        where: file, for messages.

    Raises:
        DataError: the card names no temperature, or there is none and the spread fits no unit.
    """
    known = values[np.isfinite(values)]
    if not known.size:
        raise DataError(f"{where}: every pixel is UNSEEN or NaN, expected observed pixels")
    if wanted != "auto":
        return MICROKELVIN[wanted], None
    if card:
        if (name := _named(card)) is None:
            raise DataError(
                f"{where}: unit {card!r}, expected a temperature (K, mK, uK, K_CMB, …); convert "
                "the map, or set ingest.unit if the card is wrong"
            )
        return MICROKELVIN[name], None
    # the middle half tells the spread of the CMB even where the Galaxy is in the map
    low, high = np.percentile(known, [25, 75])
    spread = (high - low) / 1.349
    for name, (least, most) in _SPREADS.items():
        if least <= spread <= most:
            return MICROKELVIN[name], (
                f"{where}: no unit card; values spread by {spread:.3g}, so {name} is assumed "
                "(ingest.unit says otherwise)"
            )
    raise DataError(
        f"{where}: no unit card, and values that spread by {spread:.3g} are no CMB in K, mK or uK; "
        "set ingest.unit"
    )


def _named(card: str) -> str | None:
    """K, mK or uK for a unit card as instruments write them, ``None`` for anything else."""
    text = card.strip().replace("µ", "u").replace("μ", "u")
    text = re.sub(r"^(mu|micro ?)(?=K)", "u", text, flags=re.IGNORECASE)
    text = re.sub(r"^milli ?(?=K)", "m", text, flags=re.IGNORECASE)
    pattern = r"([mu]?)(K|Kelvin)([ _,(]*(CMB|thermodynamic|thermo|delta_?T)\)?)?"
    match = re.fullmatch(pattern, text, flags=re.IGNORECASE)
    return {"": "K", "m": "mK", "u": "uK"}.get(match[1].lower()) if match else None
