"""Maps per second of each fill beside the constrained mean's, and how they grow with nside.

    python -m benchmarks.cmb_inpainting [--nside 64 128 256] [--network NAME ...] [--out FILE]

One mask (15 % of the sky, the simulated Galaxy), one process, one thread on a CPU, the same maps.
Weights are untrained: they cost the same time.  ``once`` is what a new mask takes before the first
map (factorisations, distances), ``map`` what each map takes then.  The constrained mean conditions
on the nearest pixels, at most 9,000: exact beyond nside 32 does not fit into memory.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from domains.cmb_inpainting.data import Start
from domains.cmb_inpainting.science.covariance import Covariance
from domains.cmb_inpainting.science.fills import MAX_LOCAL_PIXELS, ConstrainedMean, DiffusiveFill
from domains.cmb_inpainting.science.masks import draw_masks
from domains.cmb_inpainting.science.skies import Universe
from domains.cmb_inpainting.science.spectra import gaussian_beam, lensed_spectrum
from domains.cmb_inpainting.train import Task
from domains.files import write_text

NETWORKS = ("mask_gated", "skyreconnet", "pepsi", "medfe", "precision")
NUM_MAPS = 2
PERCENT = 15


def make_universe(nside: int) -> Universe:
    """Planck's sky behind a beam of two pixels."""
    lmax, fwhm_arcmin = 3 * nside - 1, 220.0 * 32 / nside
    spectrum = lensed_spectrum(lmax) * gaussian_beam(fwhm_arcmin, lmax) ** 2
    return Universe(spectrum[None], nside, fwhm_arcmin, 1.0)


def make_task(network: str, universe: Universe, window: int) -> Task:
    """An untrained task of the sample's size."""
    task = Task(
        network,
        window=window,
        channels=16,
        dilations=[1, 2, 4, 8, 4, 2, 1],
        start="diffusive",
        refine_steps=0,
        nside=universe.nside,
        lmax=universe.lmax,
    )
    task.set_statistics(universe)
    return task


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """How long ``work`` takes, and its result."""
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def measure(prepare: Callable[[], Callable[[NDArray], Any]], maps: NDArray) -> dict[str, float]:
    """Seconds once for the mask, and for each map after that (the better of two)."""
    once, fill = seconds(prepare)
    first, _ = seconds(lambda: fill(maps[:1]))
    each = min(seconds(lambda: fill(maps))[0] for _ in range(2)) / len(maps)
    # what the first map takes beyond the others was preparation too
    return {"once_s": once + max(first - each, 0.0), "map_s": each, "maps_per_s": 1 / each}


def prepare_task(task: Task, mask: NDArray) -> Callable[[NDArray], Any]:
    """The task's fill behind one mask; its caches are filled by the first map."""
    task._start = (mask.copy(), Start(mask, task.start))
    return lambda maps: task.fill(maps, mask)


def run(nside: int, window: int, networks: Sequence[str]) -> dict[str, dict[str, float]]:
    """All methods at one nside."""
    universe = make_universe(nside)
    mask = draw_masks(f"gal{PERCENT}", nside, 0)[0]
    maps = universe.draw_fixed("test", NUM_MAPS, 0)
    covariance = Covariance(universe.spectra[0], universe.noise_uk)
    methods: dict[str, Callable[[], Callable]] = {
        "constrained mean, local": lambda: ConstrainedMean(mask, covariance, MAX_LOCAL_PIXELS),
        "diffusive": lambda: DiffusiveFill(mask),
    }
    for name in networks:
        task = make_task(name, universe, window)
        methods[name] = lambda task=task: prepare_task(task, mask)
    return {name: measure(prepare, maps) for name, prepare in methods.items()}


def main() -> None:
    """Print one line for each nside and method."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nside", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--network", nargs="+", choices=NETWORKS, default=NETWORKS)
    parser.add_argument("--window", type=int, default=5, help="of the precision network")
    parser.add_argument("--out", type=Path, help="also write the numbers here as JSON")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found: dict[int, dict[str, dict[str, float]]] = {}
    for nside in options.nside:
        found[nside] = run(nside, options.window, options.network)
        for name, times in found[nside].items():
            print(
                f"nside {nside:4d}  {name:24s} once {times['once_s']:8.2f} s   "
                f"map {times['map_s']:8.3f} s   {times['maps_per_s']:8.2f} maps/s",
                flush=True,
            )
    lowest, highest = min(found), max(found)
    if lowest < highest:
        for name in found[lowest]:
            ratio = found[highest][name]["map_s"] / found[lowest][name]["map_s"]
            power = np.log(ratio) / np.log(highest / lowest)
            print(f"{name:24s} map time grows as nside^{power:.1f}")
    if options.out:
        write_text(options.out, json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
