"""Leave-one-vendor-out on the authors' clips at hand, and frames per second.

    CONVOY_MIRROR=... python benchmarks/echo_clutter.py [--vendor GE ...] [--paper] [--out FILE]

Each fold tests one vendor, lets the next one choose the weights, and learns from the clean clips of
the others and of the simulator's training scanners, under random clutter.  The ranges of that
clutter were fitted to clips of all four vendors (``science/clutter.py``); no network and no choice
of weights has seen the tested one.  Strain needs exact motion: ``convoy run`` on the sample.
Parameters are those of ``params.yaml``, with ``--paper`` also those of ``paper.yaml``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml

from domains.echo_clutter.evaluate import PAPER, evaluate
from domains.echo_clutter.ingest import ingest
from domains.echo_clutter.params import Params
from domains.echo_clutter.science.filters import FILTERS
from domains.echo_clutter.train import Task, build
from domains.files import write_text
from flows.training import fit

VENDORS = ["GE", "Hitachi", "Philips", "Samsung"]
FRAMES = 50


def split(vendor: str) -> dict[str, list[Any]]:
    """Vendors of a fold: ``vendor`` is tested, the next chooses the weights, the others teach."""
    place = VENDORS.index(vendor)
    judge = VENDORS[(place + 1) % len(VENDORS)]
    return {
        "train_vendors": [name for name in VENDORS if name not in (vendor, judge)],
        "validate_vendors": [judge],
        "test_vendors": [vendor],
        "in_vivo_subjects": [1, 2, 3, 4],
    }


def make_dataset(vendor: str, sections: Mapping[str, Any], folder: Path, simulated: Path) -> None:
    """The authors' clips of a fold, and to learn from also those of the dataset ``simulated``."""
    public = {**sections["ingest"], "public": split(vendor)}
    ingest("public", folder, **{**sections, "ingest": public})
    for path in sorted((simulated / "clips").glob("train_*.nc")):
        shutil.copyfile(path, folder / "clips" / path.name)


def sections_of(params: Params) -> dict[str, Any]:
    """What the domain's functions take."""
    return params.model_dump(mode="json", include={"ingest", "model", "train", "evaluate"})


def run_fold(
    vendor: str, block: Mapping[str, Any], folder: Path, simulated: Path
) -> tuple[pd.DataFrame, Task, float]:
    """Cases of one fold, its task, and the seconds of CPU that training took."""
    params = Params.model_validate(block)
    sections = sections_of(params)
    make_dataset(vendor, sections, folder / "data", simulated)
    begin = time.process_time()
    task, data = build(folder / "data", **sections)
    fit(task, data, params.train, folder / "scratch", lambda *_: None, lambda *_: None)
    took_s = time.process_time() - begin
    result = evaluate(folder / "data", task.eval(), folder / "out", **sections)
    for note in result.notes:
        print(f"  {note}", flush=True)
    return result.cases.assign(fold=vendor), task, took_s


def frames_per_second(task: Task, size: int = 128) -> float:
    """Of a beat of 50 frames, best of three."""
    clip = np.random.default_rng(0).uniform(0, 255, (FRAMES, size, size))
    seconds = []
    for _ in range(3):
        begin = time.perf_counter()
        task.filter(clip)
        seconds.append(time.perf_counter() - begin)
    return FRAMES / min(seconds)


def summary(cases: pd.DataFrame) -> dict[str, Any]:
    """Means over the published clips, each tested once."""
    published = cases[cases["kind"] == "published"]
    methods = ["ours", *FILTERS, *PAPER]
    found: dict[str, Any] = {
        "clips": len(published),
        "mae_by_vendor": {
            row["fold"]: {name: float(row[_column("mae", name)]) for name in methods}
            for _, row in published.iterrows()
        },
        "change_in_vivo": {
            part: float(cases[f"change_{part}"].mean()) for part in ("near_field", "elsewhere")
        },
    }
    for quantity in ("mae", "mae_zone", "psnr", "temporal_coherence"):
        found[quantity] = {
            name: float(published[_column(quantity, name)].mean()) for name in methods
        }
    return found


def _column(quantity: str, method: str) -> str:
    return quantity if method == "ours" else f"{quantity}:{method}"


def merged(old: dict, new: Mapping) -> dict:
    """``old`` with the values of ``new``, at any depth."""
    deep = {k: merged(old[k], v) if isinstance(v, dict) and v else v for k, v in new.items()}
    return {**old, **deep}


def main() -> None:
    """Run the folds asked for and print their table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vendor", action="append", choices=VENDORS, help="all by default")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--paper", action="store_true", help="the paper's network at full size")
    parser.add_argument("--steps", type=int, help="optimiser steps instead of train.max_steps")
    parser.add_argument("--out", type=Path, help="also write the figures to this JSON file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    block = yaml.safe_load(options.params.read_text())["echo_clutter"]
    if options.paper:
        block = merged(block, yaml.safe_load(Path("domains/echo_clutter/paper.yaml").read_text()))
    if options.steps:
        block["train"]["max_steps"] = options.steps
    tables, seconds, speed = [], [], []
    with tempfile.TemporaryDirectory() as scratch:
        simulated = Path(scratch) / "simulated"
        ingest("sample", simulated, **sections_of(Params.model_validate(block)))
        for vendor in options.vendor or VENDORS:
            print(vendor, flush=True)
            cases, task, took_s = run_fold(vendor, block, Path(scratch) / vendor, simulated)
            tables.append(cases)
            seconds.append(took_s)
            speed.append(frames_per_second(task))
    cases = pd.concat(tables, ignore_index=True)
    shown = [column for column in cases if column.split(":")[0] == "mae"]
    scored = cases[cases["kind"] == "published"]
    print(scored[["case", *shown]].round(2).to_string(index=False))
    found = {
        "steps": block["train"]["max_steps"],
        **summary(cases),
        "train_cpu_s": float(np.mean(seconds)),
        "frames_per_s": max(speed),
    }
    print(json.dumps(found, indent=2))
    if options.out:
        write_text(options.out, json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
