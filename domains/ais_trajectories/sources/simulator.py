"""Simulated traffic in the Gulf of St. Lawrence as the raw log of a shore station, faults and all.

    python -m domains.ais_trajectories.sources.simulator LOG.nmea [--vessels N] [--days D]

No message of it was ever sent.  The faults are those that real logs have, at the rates below, and
each is counted where it is made.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domains.ais_trajectories.science.geodesy import travel, unwrap_longitude, wrap_longitude
from domains.ais_trajectories.sources.nmea.encoder import encode, fill_bits, sentences
from domains.ais_trajectories.sources.nmea.fields import NOT_AVAILABLE
from domains.ais_trajectories.sources.voyages import Ship, Voyage, simulate_ship
from domains.ais_trajectories.sources.waterways import Waterways, gulf_of_st_lawrence

START_S = 1_717_200_000.0  # 2024-06-01T00:00:00Z
FIRST_VESSEL = 316_900_001

_MOORED_FACTOR = 2.0  # moored ships report more rarely
_GPS_KM = 0.008
_STATIC_S = 6 * 3600.0
# share of messages that have each fault
_RATES = {
    "duplicate": 0.20,
    "checksum": 0.004,
    "late": 0.01,
    "position not available": 0.008,
    "speed not available": 0.003,
    "course not available": 0.006,
    "teleport": 0.001,
}
_LATE_S = (60.0, 1200.0)
_SILENCES_PER_DAY, _SILENCE_S = 0.15, (1800.0, 9000.0)  # out of range of the station
_WITHOUT_GYRO = 0.25  # share of vessels that never send a heading
_FROZEN_SHIPS, _FROZEN_S = 0.15, 3 * 3600.0  # share of ships whose receiver hangs, how long
_FROZEN_KN = 5.0  # it is noticed under way alone
_CLASS_B = ("fishing",)


def simulate_ships(seed: int, vessels: int, days: float) -> list[Ship]:
    """True motions; a ship's does not depend on how many others there are."""
    waters = gulf_of_st_lawrence()
    return [
        simulate_ship(
            waters, FIRST_VESSEL + number, START_S, days, np.random.default_rng([seed, number])
        )
        for number in range(vessels)
    ]


def write_log(
    path: Path, seed: int, vessels: int, days: float, report_s: float
) -> tuple[list[Voyage], Counter[str]]:
    """Write the log; returns what the ships steered for, and how many faults of each kind it has.

    Args:
        path: of the log (NMEA 0183 with tag blocks).
        seed: of everything drawn.
        vessels: number of ships.
        days: simulated time.
        report_s: mean time between a ship's messages.
    """
    faults: Counter[str] = Counter()
    lines: list[bytes] = []
    times: list[NDArray] = []
    voyages: list[Voyage] = []
    for number, ship in enumerate(simulate_ships(seed, vessels, days)):
        random = np.random.default_rng([seed, number, 1])
        told, logged_s = _emit(ship, report_s, random, faults)
        lines += told
        times.append(logged_s)
        voyages += ship.voyages
    told, logged_s = _shore(gulf_of_st_lawrence(), days)
    faults["not a ship"] = len(told)
    lines += told
    times.append(logged_s)
    order = np.argsort(np.concatenate(times), kind="stable")
    with open(path, "wb") as stream:
        stream.writelines(lines[place] for place in order)
    return voyages, faults


def _emit(
    ship: Ship, report_s: float, random: np.random.Generator, faults: Counter[str]
) -> tuple[list[bytes], NDArray]:
    """The lines of one ship and when they are logged."""
    time_s = _report_times(ship, report_s, random)
    columns = _report(ship, time_s, random)
    _freeze(columns, time_s, random, faults)
    _spoil(columns, random, faults)
    kind = 18 if ship.kind in _CLASS_B else 1
    told = sentences(encode(kind, columns), time_s, "AB"[ship.vessel % 2], fill_bits(kind))
    logged_s = time_s.copy()

    bad = random.random(len(told)) < _RATES["checksum"]
    for place in np.flatnonzero(bad):
        told[place] = _garbled(told[place])
    faults["checksum"] += int(bad.sum())
    late = random.random(len(told)) < _RATES["late"]
    logged_s[late] += random.uniform(*_LATE_S, int(late.sum()))
    faults["late"] += int(late.sum())
    again = np.flatnonzero(~bad & (random.random(len(told)) < _RATES["duplicate"]))
    faults["duplicate"] += len(again)
    static, static_s = _static(ship, random, faults)
    return (
        [*told, *(told[place] for place in again), *static],
        np.concatenate([logged_s, logged_s[again], static_s]),
    )


def _report_times(ship: Ship, report_s: float, random: np.random.Generator) -> NDArray:
    """Irregular times, whole milliseconds, rarer in port, with silences."""
    first, last = ship.time_s[0], ship.time_s[-1]
    steps = report_s * random.uniform(0.4, 1.6, int(1.2 * (last - first) / report_s) + 10)
    time_s = np.round(first + np.cumsum(steps), 3)
    time_s = time_s[time_s < last]
    row = ((time_s - first) / 60).astype(int)
    keep = ~ship.is_moored[row] | (random.random(len(row)) < 1 / _MOORED_FACTOR)
    num_silences = random.poisson(_SILENCES_PER_DAY * (last - first) / 86400)
    starts = random.uniform(first, last, num_silences)
    for start, length in zip(starts, random.uniform(*_SILENCE_S, num_silences), strict=True):
        keep &= (time_s < start) | (time_s > start + length)
    return time_s[keep]


def _report(ship: Ship, time_s: NDArray, random: np.random.Generator) -> dict[str, NDArray]:
    """What the ship's transponder says at those times, with the noise of its receiver."""
    row = ((time_s - ship.time_s[0]) / 60).astype(int)
    lon = np.interp(time_s, ship.time_s, unwrap_longitude(ship.longitude))
    lat = np.interp(time_s, ship.time_s, ship.latitude)
    noise_km = _GPS_KM * np.abs(random.normal(0, 1, len(row)))
    lon, lat = travel(lon, lat, random.uniform(0, 360, len(row)), noise_km)
    cog = (ship.cog_deg[row] + random.normal(0, 1.0, len(row))) % 360
    sog = np.clip(ship.sog_kn[row] + random.normal(0, 0.1, len(row)), 0, 100)
    heading = np.rint(cog + random.normal(0, 1.0, len(row))) % 360
    if random.random() < _WITHOUT_GYRO:
        heading = np.full(len(row), NOT_AVAILABLE["heading_deg"])
    return {
        "vessel": np.full(len(row), ship.vessel),
        "longitude": lon,
        "latitude": lat,
        "sog_kn": sog,
        "cog_deg": np.minimum(cog, 359.9),
        "heading_deg": heading,
        "rot_deg_min": np.full(len(row), NOT_AVAILABLE["rot_deg_min"]),
        "status": np.where(ship.is_moored[row], 5, 0),
    }


def _freeze(
    columns: dict[str, NDArray],
    time_s: NDArray,
    random: np.random.Generator,
    faults: Counter[str],
) -> None:
    """Let the position of one ship in a few stand still for hours while its speed goes on."""
    start_s, chance = random.uniform(time_s[0], time_s[-1] - _FROZEN_S), random.random()
    rows = np.flatnonzero((time_s >= start_s) & (time_s <= start_s + _FROZEN_S))
    rows = rows[columns["sog_kn"][rows] > _FROZEN_KN]
    if chance > _FROZEN_SHIPS or len(rows) < 2:
        return
    for name in ("longitude", "latitude"):
        columns[name][rows] = columns[name][rows[0]]
    faults["frozen position"] += len(rows) - 1


def _spoil(columns: dict[str, NDArray], random: np.random.Generator, faults: Counter[str]) -> None:
    """Put "not available" values and far-off positions into a few messages."""
    chance = random.random((4, len(columns["vessel"])))
    lost = chance[0] < _RATES["position not available"]
    for name in ("longitude", "latitude"):
        columns[name] = np.where(lost, NOT_AVAILABLE[name], columns[name])
    for row, (name, label) in enumerate(
        {"sog_kn": "speed not available", "cog_deg": "course not available"}.items(), start=1
    ):
        unknown = chance[row] < _RATES[label]
        columns[name] = np.where(unknown, NOT_AVAILABLE[name], columns[name])
        faults[label] += int(unknown.sum())
    far = ~lost & (chance[3] < _RATES["teleport"])
    columns["longitude"] = np.where(
        far, wrap_longitude(columns["longitude"] - 60.0), columns["longitude"]
    )
    columns["latitude"] = np.where(far, columns["latitude"] + 10.0, columns["latitude"])
    faults["position not available"] += int(lost.sum())
    faults["teleport"] += int(far.sum())


def _static(
    ship: Ship, random: np.random.Generator, faults: Counter[str]
) -> tuple[list[bytes], NDArray]:
    """Messages of type 5 (two sentences) or 24 B that tell the ship's type; some lose one."""
    first = ship.time_s[0] + random.uniform(0, 600)
    time_s = np.round(np.arange(first, ship.time_s[-1], _STATIC_S), 3)
    columns = {
        "vessel": np.full(len(time_s), ship.vessel),
        "ship_type": np.full(len(time_s), ship.ship_type),
        "part": np.ones(len(time_s)),
    }
    kind = 24 if ship.kind in _CLASS_B else 5
    told = sentences(encode(kind, columns), time_s, "A", fill_bits(kind), ship.vessel % 10)
    if kind == 5 and len(told) > 2:
        told[1] = told[1].partition(b"\n")[0] + b"\n"
        faults["message with fragments missing"] += 1
    return told, time_s


def _garbled(line: bytes) -> bytes:
    """One character of the payload replaced, the checksum not."""
    place = line.rindex(b",") - 5
    return line[:place] + (b"0" if line[place : place + 1] != b"0" else b"1") + line[place + 1 :]


def _shore(waters: Waterways, days: float) -> tuple[list[bytes], NDArray]:
    """A base station and a buoy that report every hour: not ships."""
    time_s = START_S + 3600.0 * np.arange(1, int(24 * days))
    lines: list[bytes] = []
    for kind, vessel, place in ((4, 3_160_011, "Rimouski"), (21, 993_160_001, "Cabot Strait")):
        columns = {
            "vessel": np.full(len(time_s), vessel),
            "longitude": np.full(len(time_s), waters.places[place][0]),
            "latitude": np.full(len(time_s), waters.places[place][1]),
        }
        lines += sentences(encode(kind, columns), time_s, "A", fill_bits(kind))
    return lines, np.concatenate([time_s, time_s])


def main(arguments: Sequence[str] | None = None) -> None:
    """Write a simulated log."""
    parser = argparse.ArgumentParser(description="Simulated AIS log of the Gulf of St. Lawrence.")
    parser.add_argument("log", type=Path)
    parser.add_argument("--vessels", type=int, default=20)
    parser.add_argument("--days", type=float, default=4.0)
    parser.add_argument("--report-s", type=float, default=240.0)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args(arguments)
    voyages, faults = write_log(
        wanted.log, wanted.seed, wanted.vessels, wanted.days, wanted.report_s
    )
    told = ", ".join(f"{count} × {fault}" for fault, count in faults.items())
    print(f"{wanted.log}: simulated, {len(voyages)} voyages; faults: {told}")


if __name__ == "__main__":
    main()
