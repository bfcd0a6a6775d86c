"""The tables of both papers on the sample: message forecasts at three lengths, path ablations.

    python -m benchmarks.ais_trajectories messages [--length 8 ...] [--seed 0 ...] [--out FILE]
    python -m benchmarks.ais_trajectories paths [--compare no_conv ...] [--seed 0 ...] [--out FILE]

Trains on the dataset that ``convoy run ais_trajectories`` left in ``outputs/dataset``, or on
``--dataset FOLDER``, with the parameters of ``params.yaml`` but for what the options name, and
prints the test scores of every network, trained side by side.  ``--seed`` is that of the training.
``--out FILE`` also keeps them in a JSON file, beside what earlier runs left there.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from domains.ais_trajectories.evaluate import evaluate
from domains.ais_trajectories.params import Params
from domains.ais_trajectories.train import build
from domains.contract import Evaluation
from domains.files import write_text
from flows import parameters
from flows.training import fit

PEERS = ["elman", "gru", "lstm"]
ABLATIONS = ["no_conv", "no_attention", "no_probabilities"]


def run(dataset: Path, block: dict[str, Any]) -> tuple[Evaluation, float]:
    """Train and score one set of networks; the evaluation and the CPU seconds of training."""
    params = Params.model_validate(block)
    sections = params.model_dump(mode="json", include={"ingest", "model", "train", "evaluate"})
    torch.set_num_threads(params.train.threads)
    begin = time.process_time()
    task, data = build(dataset, **sections)
    with tempfile.TemporaryDirectory() as folder:
        fit(task, data, params.train, Path(folder) / "s", lambda *_: None, lambda *_: None)
        took_s = time.process_time() - begin
        return evaluate(dataset, task.eval(), Path(folder) / "out", **sections), took_s


def report(title: str, result: Evaluation, took_s: float, names: list[str]) -> dict[str, Any]:
    """Print the metrics named, ours first, then every baseline; the same to be kept."""
    print(f"{title}: {took_s:.0f} CPU s of training", flush=True)
    kept: dict[str, Any] = {"train_cpu_s": round(took_s)}
    for metric in result.metrics:
        if metric.name in names:
            others = ", ".join(f"{name} {value:.4g}" for name, value in metric.baselines.items())
            print(f"  {metric.name} ours {metric.value:.4g} {metric.unit}, n {metric.n}; {others}")
            values = {"ours": metric.value, **metric.baselines}
            kept[metric.name] = {
                "unit": metric.unit,
                "n": metric.n,
                **{name: float(f"{value:.5g}") for name, value in values.items()},
            }
    for note in result.notes:
        print(f"  {note}")
    return kept


def messages(dataset: Path, block: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """arXiv:2202.13867: ours beside Elman RNN, GRU and LSTM at the lengths asked for."""
    block["model"] = {**block["model"], "network": "messages", "compare": PEERS}
    found = {}
    for length in options.length:
        block["model"]["messages"] = {**block["model"]["messages"], "length": length}
        result, took_s = run(dataset, block)
        title = f"messages, length {length}, seed {block['train']['seed']}"
        found[title] = report(title, result, took_s, [metric.name for metric in result.metrics])
    return found


def paths(dataset: Path, block: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """arXiv:2310.18948: ours beside its peers and without each of its parts."""
    block["model"] = {**block["model"], "network": "multipath", "compare": options.compare}
    result, took_s = run(dataset, block)
    names = [metric.name for metric in result.metrics if "error_" in metric.name]
    title = f"paths beside {', '.join(options.compare)}, seed {block['train']['seed']}"
    return {title: report(title, result, took_s, [*names, "route_f1", "destination_f1"])}


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["messages", "paths"])
    parser.add_argument("--dataset", type=Path, default=Path("outputs/dataset/ais_trajectories"))
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--length", type=int, nargs="+", default=[8, 16, 32])
    parser.add_argument("--compare", nargs="*", default=[*PEERS, *ABLATIONS])
    parser.add_argument("--seed", type=int, nargs="+", default=[0])
    parser.add_argument("--steps", type=int, help="optimiser steps; default that of params.yaml")
    parser.add_argument("--stride", type=int, help="between training windows")
    parser.add_argument("--out", type=Path, help="also keep the numbers in this JSON file")
    options = parser.parse_args()
    block = parameters.read(options.params)["ais_trajectories"]
    changes = {"max_steps": options.steps, "stride": options.stride}
    changes = {key: value for key, value in changes.items() if value is not None}
    for seed in options.seed:
        one = {**block, "train": {**block["train"], "seed": seed, **changes}}
        found = {"messages": messages, "paths": paths}[options.what](options.dataset, one, options)
        if options.out:
            kept = json.loads(options.out.read_text()) if options.out.exists() else {}
            write_text(
                options.out, json.dumps(dict(sorted((kept | found).items())), indent=1) + "\n"
            )


if __name__ == "__main__":
    main()
