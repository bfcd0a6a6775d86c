"""Raw AIS messages to one dataset: cleaned, cut into tracks, resampled, split; and a card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from domains.ais_trajectories.params import IngestParams
from domains.contract import Card
from domains.errors import DataError
from domains.files import fetch, whole_folder, write_json

UNITS = {
    "time_s": "s since 1970-01-01 UTC",
    "longitude": "deg, WGS84, [-180, 180)",
    "latitude": "deg, WGS84",
    "sog_kn": "kn",
    "cog_deg": "deg clockwise from north",
    "heading_deg": "deg clockwise from north",
    "rot_deg_min": "deg min-1, to starboard positive",
    "ship_type": "code of ITU-R M.1371, 0 = unknown",
}
_SIMULATED = "simulated traffic in the Gulf of St. Lawrence, no vessel ever sent it"


def ingest(source: str, out: Path | str, **params: Mapping[str, Any]) -> Card:
    """Write the dataset folder ``out`` and return its card.

    Args:
        source: ``sample`` (simulated), ``public`` (Danish Maritime Authority), or the path or URL
            of messages: a file, or a folder of files.
        out: folder that appears whole or not at all.
        **params: the domain's block; only ``ingest`` is read.

    Raises:
        DataError: a file that cannot be used, or no position in all of them.
    """
    from domains.ais_trajectories.sources.pipeline import write_tables

    settings = IngestParams.model_validate(params["ingest"])
    with whole_folder(Path(out)) as folder:
        with TemporaryDirectory(dir=folder) as scratch:
            files, title, licence = _files(source, settings, folder, Path(scratch))
            report = write_tables(files, settings, folder, Path(scratch))
        write_json(folder / "cleaning.json", report.as_json())
        card = Card(
            title=title,
            source=_origin(source, settings),
            licence=licence,
            units=UNITS,
            splits={split: sorted(names) for split, names in report.vessels.items()},
            counts=dict(report.counts),
            rejected={name: num for name, num in (report.refused + report.flagged).items() if num},
            warnings=report.warnings,
        )
        card.save(folder)
    return card


def _origin(source: str, settings: IngestParams) -> str:
    return {
        "sample": f"domains/ais_trajectories/sources/simulator.py, seed {settings.seed}",
        "public": "Danish Maritime Authority, http://aisdata.ais.dk",
    }.get(source, Path(source).name)


def _files(
    source: str, settings: IngestParams, folder: Path, scratch: Path
) -> tuple[list[Path], str, str]:
    """The files to read, the dataset's title and the licence of the raw data."""
    from domains.ais_trajectories.sources.messages import find_files

    if source == "sample":
        return [_simulate(settings, folder, scratch)], _SIMULATED, "BSD-3-Clause, as Convoy itself"
    if source == "public":
        from domains.ais_trajectories.sources.danish import LICENCE, TITLE, daily_files

        return daily_files(settings.public), TITLE, LICENCE
    if "://" in source:
        return [fetch(source, None, "ais_trajectories")], "the user's messages", "the user's"
    return find_files(source), "the user's messages", "the user's"


def _simulate(settings: IngestParams, folder: Path, scratch: Path) -> Path:
    """The simulated log; what its ships steered for is written beside the dataset."""
    from domains.ais_trajectories.science.storage import write_table
    from domains.ais_trajectories.sources.simulator import write_log
    from domains.ais_trajectories.sources.waterways import gulf_of_st_lawrence

    log = scratch / "simulated.nmea"
    sample = settings.sample
    voyages, _ = write_log(log, settings.seed, sample.vessels, sample.days, sample.report_s)
    if not voyages:
        raise DataError("ais_trajectories: no voyage was simulated; raise ingest.sample.days")
    places = gulf_of_st_lawrence().places
    names = ("vessel", "departure_s", "arrival_s", "origin", "destination")
    columns = {name: [getattr(voyage, name) for voyage in voyages] for name in names}
    ends = [places[voyage.destination] for voyage in voyages]
    columns["destination_longitude"] = [end[0] for end in ends]
    columns["destination_latitude"] = [end[1] for end in ends]
    write_table(folder, "voyages", columns)
    return log
