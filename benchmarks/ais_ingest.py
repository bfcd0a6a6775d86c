"""Rows per second of reading AIS, beside pandas and pyais, and memory against the size of the file.

    python -m benchmarks.ais_ingest [--copies 1 4 16] [--log LOG.nmea] [--out FILE]

Three questions, each answered on one core in a process of its own:

- ``nmea``: messages decoded per CPU second from a log of NMEA sentences, by our reader and by
  pyais (``pip install pyais`` in whatever Python ``--pyais`` names), the same file.
- ``csv``: rows per CPU second from a Danish CSV to clean rows sorted by vessel and time (sentinels,
  non-ships, duplicates, teleports), by our readers and cleaning, and the plain way in pandas: whole
  file into memory, masks, ``groupby`` with a loop over vessels for the speed gate.
- ``memory``: peak resident memory of ``ingest`` on the log written 1, 4 and 16 times over, each
  copy a month after the one before.

The log is simulated unless ``--log`` names one.  CPU time is that of the process; importing and
starting up are left out.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

VESSELS, DAYS, REPORT_S = 240, 2.0, 240.0
NUM_RUNS = 2

DANISH_HEADER = (
    "# Timestamp,Type of mobile,MMSI,Latitude,Longitude,Navigational status,ROT,SOG,COG,Heading,"
    "IMO,Callsign,Name,Ship type,Cargo type,Width,Length,Type of position fixing device,Draught,"
    "Destination,ETA,Data source type,A,B,C,D"
)

PYAIS = """
import sys, time
from pyais.stream import FileReaderStream
best, num = float("inf"), 0
for _ in range({runs}):
    started, num = time.process_time(), 0
    for message in FileReaderStream(sys.argv[1]):
        if not message.is_valid:
            continue
        try:
            decoded = message.decode()
        except Exception:
            continue
        num += 1
    best = min(best, time.process_time() - started)
print(num / best)
"""


def ours_nmea(log: Path) -> float:
    """Messages per CPU second."""
    from domains.ais_trajectories.sources.nmea.reader import read_nmea

    best, num = float("inf"), 0
    for _ in range(NUM_RUNS):
        started = time.process_time()
        num = sum(len(block["vessel"]) for block in read_nmea(log, Counter()))
        best = min(best, time.process_time() - started)
    return num / best


def ours_csv(table: Path) -> tuple[float, int]:
    """Rows per CPU second from CSV to clean rows, and how many are left."""
    from domains.ais_trajectories.params import CleanParams
    from domains.ais_trajectories.sources.cleaner import Cleaner

    settings = _settings(CleanParams(max_speed_kn=40.0, stale_h=1.0))
    best, left, num = float("inf"), 0, 0
    for _ in range(NUM_RUNS):
        started = time.process_time()
        with tempfile.TemporaryDirectory() as scratch:
            cleaner = Cleaner(settings, Path(scratch), lambda rows, names: None)
            left = sum(len(rows["vessel"]) for rows in cleaner.buckets(cleaner.read([table])))
        best = min(best, time.process_time() - started)
        num = cleaner.report.counts["position messages"]
    return num / best, left


def pandas_csv(table: Path) -> tuple[float, int]:
    """The same, as a notebook does it."""
    import pandas as pd

    from domains.ais_trajectories.science.geodesy import haversine_km

    started = time.process_time()
    frame = pd.read_csv(table)
    num = len(frame)
    frame["time"] = pd.to_datetime(frame["# Timestamp"], format="%d/%m/%Y %H:%M:%S")
    frame = frame[frame["Type of mobile"].isin(["Class A", "Class B"])]
    frame = frame[frame["MMSI"].between(200_000_000, 799_999_999)]
    frame = frame[(frame["Latitude"].abs() <= 90) & (frame["Longitude"].abs() <= 180)]
    frame = frame.drop_duplicates(["MMSI", "time"]).sort_values(["MMSI", "time"])
    frame["SOG"] = frame["SOG"].mask(frame["SOG"] >= 102.3)
    frame["COG"] = frame["COG"].mask(frame["COG"] >= 360)
    parts = []
    for _, group in frame.groupby("MMSI"):
        while True:
            before = group.shift(1)
            hours = (group["time"] - before["time"]).dt.total_seconds() / 3600
            km = haversine_km(
                before["Longitude"], before["Latitude"], group["Longitude"], group["Latitude"]
            )
            too_far = km > 40 * 1.852 * hours + 0.3
            if not too_far.any():
                break
            group = group.drop(index=too_far.idxmax())
        parts.append(group)
    left = len(pd.concat(parts))
    return num / (time.process_time() - started), left


def _settings(clean: Any) -> Any:
    from domains.ais_trajectories.params import IngestParams
    from flows import parameters
    from flows.settings import find_places

    block = parameters.read(find_places().params)["ais_trajectories"]["ingest"]
    return IngestParams.model_validate({**block, "clean": clean})


def write_danish(log: Path, table: Path) -> None:
    """The positions of ``log`` as a Danish CSV, in the order they came."""
    from domains.ais_trajectories.sources.nmea.reader import read_nmea

    mobiles = {1: "Class A", 18: "Class B", 4: "Base Station", 21: "AtoN"}
    names = ("sog_kn", "cog_deg", "heading_deg")
    with open(table, "w") as stream:
        stream.write(DANISH_HEADER + "\n")
        for block in read_nmea(log, Counter()):
            rows = np.flatnonzero(np.isin(block["message_type"], list(mobiles)))
            stamps = block["time_s"][rows].astype(np.int64).astype("datetime64[s]").tolist()
            for row, stamp in zip(rows.tolist(), stamps, strict=True):
                sog, cog, heading = (f"{block[name][row]:.6g}" for name in names)
                kind = mobiles[int(block["message_type"][row])]
                stream.write(
                    f"{stamp:%d/%m/%Y %H:%M:%S},{kind},{block['vessel'][row]},"
                    f"{block['latitude'][row]:.6f},{block['longitude'][row]:.6f},"
                    f"Under way using engine,0.0,{sog},{cog},{heading},9123456,OXAB,A NAME,Cargo,"
                    "No additional information,20,120,GPS,7.1,AARHUS,03/03/2024 12:00:00,AIS,"
                    "100,20,10,10\n"
                )


def peak_memory_mb(log: Path) -> float:
    """Peak resident memory of a process that ingests ``log``, MB."""
    code = f"from benchmarks.ais_ingest import ingest_once; ingest_once({str(log)!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


def ingest_once(log: str) -> None:
    """Ingest into a scratch folder and print the peak memory of this process, MB."""
    from domains.ais_trajectories.params import CleanParams
    from domains.ais_trajectories.sources.pipeline import write_tables

    settings = _settings(CleanParams(max_speed_kn=40.0, stale_h=1.0))
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as scratch:
        write_tables([Path(log)], settings, Path(folder), Path(scratch))
    # not ru_maxrss, which begins with the memory of the process that started this one
    status = Path("/proc/self/status").read_text()
    print(int(status.split("VmHWM:")[1].split()[0]) / 1e3)


def main() -> None:
    """Print, and with ``--out`` write, the three answers as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--log", type=Path)
    parser.add_argument("--copies", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--pyais", default=sys.executable, help="a Python that has pyais")
    parser.add_argument("--out", type=Path)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        answers = _measure(wanted, Path(scratch))
    text = json.dumps(answers, indent=2)
    print(text)
    if wanted.out:
        wanted.out.write_text(text + "\n")


def _measure(wanted: argparse.Namespace, scratch: Path) -> dict:
    from domains.ais_trajectories.sources.simulator import write_log

    log = wanted.log or scratch / "log.nmea"
    if wanted.log is None:
        write_log(log, 0, VESSELS, DAYS, REPORT_S)
    table = scratch / "danish.csv"
    write_danish(log, table)
    answers: dict = {"lines of the log": log.read_bytes().count(b"\n")}
    answers |= {"nmea, messages per CPU second": {"ours": round(ours_nmea(log))}}
    done = subprocess.run(
        [wanted.pyais, "-c", PYAIS.format(runs=NUM_RUNS), str(log)], capture_output=True, text=True
    )
    pyais = round(float(done.stdout)) if done.returncode == 0 else done.stderr.splitlines()[-1]
    answers["nmea, messages per CPU second"]["pyais"] = pyais
    (ours, kept), (plain, left) = ours_csv(table), pandas_csv(table)
    answers["csv, rows per CPU second"] = {"ours": round(ours), "pandas": round(plain)}
    answers["csv, rows kept"] = {"ours": kept, "pandas": left}
    memory = {}
    for copies in wanted.copies:
        many = scratch / "many.nmea"
        _copy(log, many, copies)
        memory[f"{many.stat().st_size / 1e6:.0f} MB"] = round(peak_memory_mb(many))
        many.unlink()
    answers["peak memory of ingest by size of log, MB"] = memory
    return answers


def _copy(log: Path, many: Path, copies: int) -> None:
    """The same ships ``copies`` times, a month apart: only times and tag checksums change."""
    lines = log.read_bytes().splitlines()
    with open(many, "wb") as stream:
        for copy in range(copies):
            for line in lines:
                stream.write(_later(line, copy * 30 * 86_400_000) + b"\r\n")


def _later(line: bytes, milliseconds: int) -> bytes:
    tag, found, sentence = line.removeprefix(b"\\").partition(b"\\")
    body = tag.partition(b"*")[0]
    head, is_timed, stamp = body.partition(b"c:")
    if not (found and is_timed):
        return line
    body = head + b"c:%d" % (int(stamp) + milliseconds)
    return b"\\%b*%02X\\%b" % (body, int(np.bitwise_xor.reduce(list(body))), sentence)


if __name__ == "__main__":
    main()
