"""What the cascade is worth, a hard real case, and what a forecast step costs.

    python -m benchmarks.weather ablation DATASET [--seeds 0 1]
    python -m benchmarks.weather era5 FILE
    python -m benchmarks.weather cost
    python -m benchmarks.weather memory

``ablation``: Short and Medium against Short alone with as many optimiser steps, on the folder that
``ingest`` wrote; each training is the sample's, without the peer.  ``era5``: temperature at 2 m
from one file of the user's, the network at a small size, beside 24-hour persistence.  ``cost``:
milliseconds of CPU and floating point operations of a forecast step against the size of the grid.
``memory``: that of the 0.25° model of ``paper.yaml``, counted on torch's meta device, nothing run.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from domains.contract import Card, Evaluation
from domains.weather.evaluate import evaluate
from domains.weather.ingest import ingest
from domains.weather.models.networks import make_network
from domains.weather.models.puyun import PatchNetwork
from domains.weather.models.resnet import count_parameters
from domains.weather.params import Params
from domains.weather.science.channels import PAPER
from domains.weather.train import build
from flows import parameters
from flows.training import fit

ROOT = Path(__file__).parents[1]
GRIDS = ((32, 64), (64, 128), (121, 240), (181, 360))
SMALL_REAL = {
    "model": {"dim": 32, "cascade": 1, "time": "day", "peer": False},
    "train": {"max_steps": 300, "batch_size": 8, "validate_steps": 24, "rollout_steps": 6,
              "pretrain_share": 0.6, "short_share": 0.2, "lr": 0.004, "validate_every": 50},
    "evaluate": {"lead_days": 1.0, "headline_channel": "2t", "headline_lead_h": 24.0,
                 "table_leads_h": [6.0, 12.0, 18.0, 24.0], "start_every": 1},
    "ingest": {"step_h": 1.0, "split": {"validate_share": 0.12, "test_share": 0.33,
                                        "gap_days": 1.0}},
}  # fmt: skip
"""A day ahead in hourly steps: the record has three weeks."""


def sections(*changes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The sample's block with ``changes``, checked."""
    block = parameters.read(ROOT / "params.yaml")["weather"]
    for change in changes:
        for section, values in change.items():
            for key, value in values.items():
                if isinstance(value, dict):
                    block[section][key].update(value)
                else:
                    block[section][key] = value
    found = Params(**block).model_dump(mode="json")
    return {key: found[key] for key in ("ingest", "model", "train", "evaluate")}


def run(dataset: Path, values: Mapping[str, Any]) -> Evaluation:
    """Train and evaluate once."""
    torch.set_num_threads(values["train"]["threads"])
    task, data = build(dataset, **values)
    train = Params.model_fields["train"].annotation(**values["train"])  # type: ignore[misc]
    with tempfile.TemporaryDirectory() as scratch:
        fit(task, data, train, Path(scratch), lambda *_: None, lambda *_: None)
        return evaluate(dataset, task, Path(scratch), **values)


def table(result: Evaluation, score: str) -> None:
    """Print every metric of one score beside its baselines."""
    for metric in result.metrics:
        if f"_{score}_" in metric.name:
            others = "  ".join(f"{name} {value:.4g}" for name, value in metric.baselines.items())
            print(f"  {metric.name:18s} ours {metric.value:.4g} {metric.unit}  {others}")


def ablation(dataset: Path, seeds: list[int]) -> None:
    """Short and Medium against Short alone with equal steps."""
    for seed in seeds:
        for number, title in ((2, "Short + Medium"), (1, "Short alone")):
            change = {"model": {"cascade": number, "peer": False}, "train": {"seed": seed}}
            started = time.process_time()
            result = run(dataset, sections(change))
            spent = time.process_time() - started
            print(f"{title}, seed {seed}, {result.headline.n} forecasts, {spent:.0f} CPU s")
            table(result, "rmse")


def era5(file: Path) -> None:
    """Temperature at 2 m, hourly, over three weeks."""
    values = sections(SMALL_REAL)
    with tempfile.TemporaryDirectory() as folder:
        card: Card = ingest(str(file), Path(folder) / "dataset", **values)
        print(card.title, dict(card.counts))
        result = run(Path(folder) / "dataset", values)
    print(f"RMSE, {result.headline.n} forecasts; lower is better")
    table(result, "rmse")


def network_on(model: Mapping[str, Any], num_channels: int) -> PatchNetwork:
    """PuYun for a globe, untrained."""
    made = make_network("puyun", model, num_channels, 3, True)
    assert isinstance(made, PatchNetwork)
    return made


def depthwise_flops(model: Mapping[str, Any], height: int, width: int) -> int:
    """Of the attention's two depthwise kernels, which torch's counter does not know."""
    local, wide = 2 * model["dilation"] - 1, -(-model["kernel_size"] // model["dilation"])
    places = -(-height // model["patch"]) * -(-width // model["patch"])
    blocks = model["stages"] * model["blocks"]
    return 2 * blocks * model["dim"] * places * (local**2 + wide**2)


def cost() -> None:
    """Time and operations of a forecast step of the sample's network against grid size."""
    torch.set_num_threads(1)
    model = sections()["model"]
    network = network_on(model, 7).eval()
    print(f"{count_parameters(network):,} parameters, one thread")
    for height, width in GRIDS:
        x = torch.randn(1, 2 * 7 + 3, height, width)
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            network(x)
        flops = counter.get_total_flops() + depthwise_flops(model, height, width)
        with torch.no_grad():
            times = []
            for _ in range(4):
                started = time.process_time()
                network(x)
                times.append(time.process_time() - started)
        best, points = min(times), height * width
        print(
            f"{height:4d} × {width:4d}  {flops / 1e6:9.1f} MFLOP  {1e3 * best:8.2f} ms  "
            f"{1e9 * best / points:6.0f} ns per grid point  {flops / best / 1e9:5.1f} GFLOP/s"
        )


def kept_bytes(model: Mapping[str, Any]) -> int:
    """What a backward pass over one 0.25° sample keeps without recomputation, all in bf16."""
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if not isinstance(tensor, torch.nn.Parameter):
            storage = tensor.untyped_storage()
            kept[storage._cdata] = storage.nbytes()
        return tensor

    with torch.device("meta"):
        network = network_on({**model, "recompute": "none"}, len(PAPER)).bfloat16()
        x = torch.empty(1, 2 * len(PAPER) + 3, 721, 1440, dtype=torch.bfloat16)
        moment = torch.empty(1, 12, dtype=torch.bfloat16)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        result = network(x, moment)
    assert result.shape == (1, len(PAPER), 721, 1440)
    return sum(kept.values())


def memory() -> None:
    """Bytes of the paper-size model: weights, optimiser, and what a backward pass must keep."""
    block = parameters.read(ROOT / "domains/weather/paper.yaml")
    model = {**sections()["model"], **block["model"]}
    num_steps = block["train"]["rollout_steps"]
    with torch.device("meta"):
        size = count_parameters(network_on(model, len(PAPER)))
    height, width = -(-721 // model["patch"]), -(-1440 // model["patch"])
    one_map = 2 * model["dim"] * height * width  # bf16
    one, two = (kept_bytes({**model, "blocks": blocks}) for blocks in (1, 2))
    a_block = (two - one) // model["stages"]
    num_blocks = model["stages"] * model["blocks"]
    whole = one + (num_blocks - model["stages"]) * a_block
    recomputed = one - model["stages"] * a_block + a_block + num_blocks * one_map
    rollout = num_steps * (recomputed - a_block) + a_block  # one block at a time is whole
    gib, stages = 2**30, model["cascade"]
    print(f"0.25°, {len(PAPER)} channels, {size:,} parameters a forecaster, {stages} forecasters")
    for title, value in (
        ("weights of all forecasters, fp32", 4 * size * stages),
        ("gradient and Adam of the one that learns, fp32", 12 * size),
        ("kept for backward, batch 1, one step, bf16", whole),
        ("the same with recompute: blocks", recomputed),
        (f"the longest rollout, {num_steps} steps, so too", rollout),
    ):
        print(f"{title:48s} {value / gib:7.1f} GiB")
    for title, kept in (("one step", recomputed), (f"{num_steps} steps", rollout)):
        total = 4 * size * stages + 12 * size + kept
        print(f"{'in all, recompute: blocks, ' + title:48s} {total / gib:7.1f} GiB")


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    part = commands.add_parser("ablation")
    part.add_argument("dataset", type=Path)
    part.add_argument("--seeds", type=int, nargs="+", default=[0])
    commands.add_parser("era5").add_argument("file", type=Path)
    commands.add_parser("cost")
    commands.add_parser("memory")
    options = parser.parse_args()
    if options.command == "ablation":
        ablation(options.dataset, options.seeds)
    elif options.command == "era5":
        era5(options.file)
    else:
        {"cost": cost, "memory": memory}[options.command]()


if __name__ == "__main__":
    main()
