"""Daily files of the Danish Maritime Authority: decoded AIS of all Danish waters since March 2024.

http://aisdata.ais.dk, one zip of one CSV a day, about 0.6 GB.  Free for any use with the source
named (https://www.dma.dk/safety-at-sea/navigational-information/ais-data).
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from domains.ais_trajectories.params import PublicParams
from domains.errors import DataError
from domains.files import fetch

TITLE = "AIS of Danish waters, shore stations of the Danish Maritime Authority"
LICENCE = "Danish public sector information: free use, source named: Danish Maritime Authority"

# days of the running year lie at the top, older ones in a folder of their year
_ADDRESSES = ("http://aisdata.ais.dk/{name}", "http://aisdata.ais.dk/{year}/{name}")


def daily_files(wanted: PublicParams) -> list[Path]:
    """The files of the days wanted, downloaded once; ``CONVOY_MIRROR`` is looked in first.

    Raises:
        DataError: a day cannot be had; says where to put it by hand.
    """
    days = [wanted.first_day + timedelta(days=number) for number in range(wanted.days)]
    return [_fetch(f"aisdk-{day.isoformat()}.zip", day.year) for day in days]


def _fetch(name: str, year: int) -> Path:
    for address in _ADDRESSES[:-1]:
        try:
            return fetch(address.format(name=name, year=year), None, "ais_trajectories")
        except DataError:
            continue
    return fetch(_ADDRESSES[-1].format(name=name, year=year), None, "ais_trajectories")
