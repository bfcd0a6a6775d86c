"""Leave-trials-out cross-validation on the BROAD trials at hand, and the time of each filter.

    CONVOY_MIRROR=... python benchmarks/imu_attitude.py [--fold 0 ...] [--out FOLDER]

Each fold trains on the trials outside its test, two of which choose the weights; every number is
of a trial that no weight and no choice of the fold has seen.  Parameters are those of
``params.yaml`` with ``source: public``.  Prints one table of cases and one line of ratios.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml

from domains.files import write_text
from domains.imu_attitude.evaluate import BARS, LATENCY_ONLY, evaluate
from domains.imu_attitude.ingest import ingest
from domains.imu_attitude.params import Params
from domains.imu_attitude.science.filters import FILTERS
from domains.imu_attitude.science.recording import Recording, load_dataset
from domains.imu_attitude.train import Task, build
from flows.training import fit

TRIALS = [1, 3, 4, 6, 8, 10, 15, 24, 26, 28, 32, 36]
FOLDS = 4


def split(fold: int) -> dict[str, list[int]]:
    """Trials of a fold: every fourth is tested, two of the others choose the weights."""
    test = TRIALS[fold::FOLDS]
    rest = [trial for trial in TRIALS if trial not in test]
    validate = rest[fold % 3 :: 5][:2]
    train = [trial for trial in rest if trial not in validate]
    return {"train_trials": train, "validate_trials": validate, "test_trials": test}


def run_fold(fold: int, block: dict[str, Any], folder: Path) -> tuple[pd.DataFrame, Task, float]:
    """Cases of one fold, its task, and the seconds that training took."""
    block = {**block, "source": "public", "ingest": {**block["ingest"], "public": split(fold)}}
    params = Params.model_validate(block)
    sections = params.model_dump(include={"ingest", "model", "train", "evaluate"})
    ingest("public", folder / "data", **sections)
    begin = time.perf_counter()
    task, data = build(folder / "data", **sections)
    fit(task, data, params.train, folder / "scratch", lambda *_: None, lambda *_: None)
    took_s = time.perf_counter() - begin
    result = evaluate(folder / "data", task.eval(), folder / "out", **sections)
    return result.cases.assign(fold=fold), task, took_s


def microseconds_per_sample(task: Task, recording: Recording) -> dict[str, float]:
    """Time of each method on one recording, best of three."""
    part = recording.cut(0, 20_000)
    methods = {name: lambda f=f: f(part.gyr, part.acc, part.rate_hz) for name, f in FILTERS.items()}
    for mode in task.modes:
        methods[f"ours, {mode}"] = lambda m=mode: task.estimate(
            part.gyr, part.acc, part.rate_hz, m, part.device
        )
    short = recording.cut(0, 2_000)

    def stream() -> None:
        one = task.stream(short.rate_hz, short.device)
        for gyr, acc in zip(short.gyr, short.acc, strict=True):
            one.update(gyr, acc)

    times = {}
    for name, method in {**methods, "ours, stream": stream}.items():
        seconds = []
        for _ in range(3):
            begin = time.perf_counter()
            method()
            seconds.append(time.perf_counter() - begin)
        times[name] = 1e6 * min(seconds) / len(short if name == "ours, stream" else part)
    return times


def ratios(cases: pd.DataFrame) -> dict[str, float]:
    """Ours to the rivals, of means over trials."""
    found = {}
    for mode, (rival, _) in BARS.items():
        metric = f"inclination_rmse_{mode}"
        ours = cases[metric].mean()
        for other in (rival, LATENCY_ONLY[mode], "riann"):
            found[f"{mode} / {other}"] = round(float(ours / cases[f"{metric}:{other}"].mean()), 3)
        found[f"worst trial: {mode} / {rival}"] = round(
            float((cases[metric] / cases[f"{metric}:{rival}"]).max()), 3
        )
    return found


def main() -> None:
    """Run the folds asked for and print their table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fold", type=int, action="append", help="0 to 3; all by default")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--out", type=Path, help="also write cases.csv and summary.json here")
    options = parser.parse_args()
    torch.set_num_threads(1)
    block = yaml.safe_load(options.params.read_text())["imu_attitude"]
    tables, seconds = [], []
    for fold in range(FOLDS) if options.fold is None else options.fold:
        with tempfile.TemporaryDirectory() as folder:
            cases, task, took_s = run_fold(fold, block, Path(folder))
            speed = microseconds_per_sample(task, load_dataset(Path(folder) / "data", "test")[0])
        tables.append(cases)
        seconds.append(took_s)
        print(f"fold {fold}: {took_s:.0f} s, {ratios(cases)}", flush=True)
    cases = pd.concat(tables, ignore_index=True)
    columns = [c for c in cases if c.startswith("inclination")]
    print(cases[["case", "fold", *columns]].round(3).to_string(index=False))
    print("mean", cases[columns].mean().round(3).to_dict())
    summary = {"ratios": ratios(cases), "train_s": float(np.mean(seconds)), "us_per_sample": speed}
    print(json.dumps(summary, indent=2))
    if options.out:
        write_text(options.out / "cases.csv", cases.to_csv(index=False))
        write_text(options.out / "summary.json", json.dumps(summary, indent=2) + "\n")


if __name__ == "__main__":
    main()
