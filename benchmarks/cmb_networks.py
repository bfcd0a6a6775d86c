"""Every network of cmb_inpainting with the same training, on the same test skies.

    convoy run cmb_inpainting       # makes the dataset
    python -m benchmarks.cmb_networks [--network NAME ...] [--steps 600] [--out FILE]

Each network trains on the masks and skies of ``outputs/dataset/cmb_inpainting`` for the same number
of steps, is chosen on the validation skies, and is scored once on the test skies behind every test
mask.  One thread on a CPU; seconds are the training's CPU time.  RMSE behind the mask in µK.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
import yaml

from domains.cmb_inpainting.params import Params
from domains.cmb_inpainting.science import scores
from domains.cmb_inpainting.science.fills import zero_fill
from domains.cmb_inpainting.science.skies import SkySet
from domains.cmb_inpainting.train import build
from domains.files import write_text
from flows.training import fit

DATASET = Path("outputs/dataset/cmb_inpainting")
NETWORKS = {
    "precision": {"lr": 0.002, "skies_per_mask": 16},
    "mask_gated": {"lr": 0.004, "skies_per_mask": 2},
    "skyreconnet": {"lr": 0.002, "skies_per_mask": 2, "ssim_weight": 0.5},
    "pepsi": {"lr": 0.002, "skies_per_mask": 2},
    "medfe": {"lr": 0.002, "skies_per_mask": 2},
}
"""What differs from the sample's ``train`` section."""


def rmse(filled: Any, skies: SkySet, mask: Any) -> float:
    """RMSE behind the mask, pooled over pixels and skies, µK."""
    return scores.pooled(scores.pixel_scores(filled, skies.skies, ~mask)["rmse"])


def train(network: str, steps: int, block: dict[str, Any]) -> tuple[Any, float]:
    """A trained task and the CPU seconds that it took."""
    block = json.loads(json.dumps(block))
    block["model"].update(network=network, refine_steps=0)
    if network == "precision":
        steps = min(steps, block["train"]["max_steps"])  # it has converged by then
    block["train"].update(
        NETWORKS[network], max_steps=steps, validate_every=steps // 6, checkpoint_every=steps
    )
    if network != "precision":
        block["train"]["grad_clip"] = 1.0
    params = Params.model_validate(block)
    task, data = build(DATASET, **params.model_dump(include={"model", "train"}))
    begin = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        fit(task, data, params.train, Path(folder), lambda *_: None, lambda *_: None)
    return task.eval(), time.process_time() - begin


def main() -> None:
    """Print one line for each network and classical fill."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--out", type=Path, help="also write the numbers here as JSON")
    options = parser.parse_args()
    torch.set_num_threads(1)
    block = yaml.safe_load(Path("params.yaml").read_text())["cmb_inpainting"]
    skies = SkySet.load(DATASET, "test")
    masks = list(zip(skies.masks.names, skies.masks.values, strict=True))
    found: dict[str, dict[str, float]] = {
        "zero": {name: rmse(zero_fill(skies.skies, mask), skies, mask) for name, mask in masks}
    }
    for method, fills in skies.fills.items():
        found[method] = {
            name: rmse(fills[number], skies, mask) for number, (name, mask) in enumerate(masks)
        }
    for network in options.network:
        task, took_s = train(network, options.steps, block)
        found[network] = {
            name: rmse(task.fill(skies.skies, mask), skies, mask) for name, mask in masks
        }
        found[network]["parameters"] = sum(p.numel() for p in task.network.parameters())
        found[network]["train_cpu_s"] = round(took_s)
        print(network, {key: round(value, 2) for key, value in found[network].items()}, flush=True)
    for method, values in found.items():
        print(f"{method:24s}", "  ".join(f"{key} {value:.2f}" for key, value in values.items()))
    if options.out:
        write_text(options.out, json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
