"""One training per device: a lock per GPU or core, freed at once when its holder is killed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from flows.locks import some_locks
from flows.settings import Places


def num_gpus() -> int:
    """GPUs of this machine as the driver lists them, without loading torch."""
    try:
        listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return 0
    return sum(line.startswith("GPU ") for line in listing.stdout.splitlines())


@contextmanager
def hold_device(places: Places, accelerator: str, threads: int) -> Iterator[None]:
    """Wait for a free device and keep it inside the block.

    On a GPU machine it is one GPU, which alone is visible to the process from then on (unless
    ``CUDA_VISIBLE_DEVICES`` was set by the user: then all of those are taken, together).
    Without a GPU, or with none visible, it is ``threads`` of the machine's cores
    (``CONVOY_CPU_SLOTS`` sets how many there are to give), at most all of them.
    """
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    gpus = 0 if accelerator == "cpu" or chosen in ("", "-1") else num_gpus()
    count = 1
    if gpus and chosen is not None:
        slots = [f"gpu{name.strip().replace('/', '_')}" for name in chosen.split(",")]
        count = len(slots)
    elif gpus:
        slots = [f"gpu{index}" for index in range(gpus)]
    else:
        cores = max(1, int(os.environ.get("CONVOY_CPU_SLOTS", len(os.sched_getaffinity(0)))))
        slots = [f"cpu{index}" for index in range(cores)]
        count = min(threads, cores)

    def tell(holders: str) -> None:
        print(f"waiting for a free device ({', '.join(slots)}), held by {holders}", flush=True)

    paths = [places.locks / f"{slot}.lock" for slot in slots]
    with some_locks(paths, count, tell) as held:
        if gpus and chosen is None:
            os.environ["CUDA_VISIBLE_DEVICES"] = str(held[0])
        yield
