"""Our three networks and MONAI's on real data, in one table of one run.

    python -m benchmarks.medical_segmentation DATA [--network swtr ...] [--out FILE]
    python -m benchmarks.medical_segmentation BRATS --leave-one-out [--out FILE]

DATA is a folder of volumes and labels as ``ingest`` takes it (MSD Task04 Hippocampus for the table
of the README).  Cases in the order of their names: the first two thirds train, the next sixth
chooses the weights, the last sixth is scored once.  All networks see the same samples in the same
number of steps, U-Nets at about the same number of parameters; ``monai_unet_long`` is MONAI's for
about as much CPU time as ours.  ``--leave-one-out`` is for data sets of a few cases: each is scored
by a network that was trained on all others, and one of those chooses the weights too.  Prints one
row for each network as it is done.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import yaml

from domains.files import write_json
from domains.medical_segmentation.evaluate import evaluate
from domains.medical_segmentation.ingest import ingest
from domains.medical_segmentation.params import Params
from domains.medical_segmentation.science.baselines import Baselines
from domains.medical_segmentation.science.cases import Catalogue
from domains.medical_segmentation.train import build
from flows.training import fit

NETWORKS: dict[str, dict[str, Any]] = {
    "xlstm_unet": {"network": "xlstm_unet", "base_channels": 8},
    "monai_unet": {"network": "monai_unet", "base_channels": 12},
    "swtr": {"network": "swtr", "base_channels": 8},
    "reversible": {
        "network": "reversible",
        "base_channels": 12,
        # the same weights and gradients in less time; benchmarks.medical_segmentation_memory
        "reversible": {"blocks": 1, "expansion": 4, "is_reversible": False},
    },
    "monai_unet_long": {"network": "monai_unet", "base_channels": 12},
    "segresnet": {"network": "segresnet", "base_channels": 4},
    "swinunetr": {"network": "swinunetr", "base_channels": 12},  # the smallest MONAI makes
}
"""Changes to the section ``model``."""

STEPS = {"monai_unet_long": 2.5, "swinunetr": 0.1}
"""Number of steps over that of the others: U-Net as long as ours, Swin UNETR ten times as slow."""

LR = {"swtr": 0.004, "swinunetr": 0.002}
"""Peak rate where attention wants a smaller one than ``train.lr``."""


def split_by_name(names: list[str]) -> dict[str, list[str]]:
    """Cases that choose the weights, and cases that are scored, by the order of their names."""
    count = len(names) // 6
    names = sorted(names)
    return {"validate_cases": names[-2 * count : -count], "test_cases": names[-count:]}


def sections(block: dict[str, Any], name: str) -> tuple[Params, dict[str, Any]]:
    """The block for a network of the table."""
    train = block["train"]
    changed = {
        "lr": LR.get(name, train["lr"]),
        "max_steps": max(1, round(train["max_steps"] * STEPS.get(name, 1))),
        "patience": 10_000,  # all get their steps
    }
    block = {
        **block,
        "model": {**block["model"], **NETWORKS[name]},
        "train": {**train, **changed},
    }
    params = Params.model_validate(block)
    return params, params.model_dump(include={"ingest", "model", "train", "evaluate"})


def train_and_score(
    dataset: Path, block: dict[str, Any], name: str, folder: Path
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Row of the table and cases of one network."""
    params, values = sections(block, name)
    task, data = build(dataset, **values)
    begin = time.process_time()
    history = fit(task, data, params.train, folder / "scratch", lambda *_: None, lambda *_: None)
    train_s = time.process_time() - begin
    result = evaluate(dataset, task.eval(), folder / "out", **values)
    metrics = {metric.name: metric for metric in result.metrics}
    row = {
        "parameters": sum(p.numel() for p in task.network.parameters()),
        "steps": params.train.max_steps,
        "train_cpu_s": round(train_s),
        "validation_dice": round(1 - min(step["val_loss"] for step in history), 4),
        "n": result.headline.n,
        **{key: round(metric.value, 4) for key, metric in metrics.items()},
        "worst_dice": round(float(result.cases["dice_mean"].min()), 4),
        **{
            other: {key: round(metric.baselines[other], 4) for key, metric in metrics.items()}
            for other in Baselines.names
        },
    }
    return row, result.cases


def leave_one_out(source: str, block: dict[str, Any], network: str, folder: Path) -> pd.DataFrame:
    """Cases of all folds."""
    ingest(source, folder / "all", ingest=block["ingest"])
    splits = Catalogue.load(folder / "all").splits
    names = sorted(name for part in splits.values() for name in part)
    tables = []
    for number, name in enumerate(names):
        fold = {"test_cases": [name], "validate_cases": [names[number - 1]]}
        own = {**block, "ingest": {**block["ingest"], **fold}}
        dataset = folder / f"data{number}"
        ingest(source, dataset, ingest=own["ingest"])
        catalogue = Catalogue.load(dataset)
        splits = {**catalogue.splits, "train": [other for other in names if other != name]}
        replace(catalogue, splits=splits).save(dataset)
        _, cases = train_and_score(dataset, own, network, folder / f"fold{number}")
        tables.append(cases)
        print(cases.filter(regex="^case|^dice").round(3).to_string(index=False), flush=True)
    return pd.concat(tables, ignore_index=True)


def main() -> None:
    """Run what is asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="folder of cases, or public")
    parser.add_argument("--network", action="append", choices=NETWORKS, help="all by default")
    parser.add_argument("--leave-one-out", action="store_true")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--steps", type=int, help="instead of train.max_steps")
    parser.add_argument("--out", type=Path, help="also put the results into this JSON file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    block = yaml.safe_load(options.params.read_text())["medical_segmentation"]
    if options.steps:
        block["train"]["max_steps"] = options.steps
    networks = options.network or list(NETWORKS)
    is_known = options.out is not None and options.out.is_file()
    result: dict[str, Any] = json.loads(options.out.read_text()) if is_known else {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if not options.leave_one_out:
            ingest(options.data, folder / "all", ingest=block["ingest"])
            splits = Catalogue.load(folder / "all").splits
            names = [name for part in splits.values() for name in part]
            block["ingest"].update(split_by_name(names))
            ingest(options.data, folder / "data", ingest=block["ingest"])
        for name in networks:
            key = f"{name}, leave one out" if options.leave_one_out else name
            if options.leave_one_out:
                cases = leave_one_out(options.data, block, name, folder / name)
                numbers = cases.filter(regex="^dice|^hd95|^nsd")
                folds = cases.set_index("case")[numbers.columns].round(4).to_dict("index")
                mean = numbers.mean().round(4).to_dict()
                result[key] = {"n": len(cases), **mean, "folds": folds}
            else:
                result[key], _ = train_and_score(folder / "data", block, name, folder / name)
            print(name, json.dumps(result[key]), flush=True)
            if options.out:
                write_json(options.out, result)


if __name__ == "__main__":
    main()
