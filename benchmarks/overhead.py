"""What the machinery costs beside the bare functions: ``python benchmarks/overhead.py [DOMAIN]``.

In one run, on the same parameters, in a throw-away copy of the checkout:

1. the domain's plain functions ``ingest``, ``build`` + engine, ``evaluate``, each in a process of
   its own (a step needs that), without DVC, Prefect, MLflow;
2. ``convoy run`` of the same, through all of them: with the first start of Prefect's server, with
   the server up, and without Prefect;
3. a ``convoy run`` and a ``dvc repro`` with nothing to do, and ``convoy --help``.

Wall seconds and CPU seconds of the whole process tree; the machine's load is printed beside them.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

_BARE = """
import sys, torch
from pathlib import Path
from domains.contract import domain_function
from domains.task import load_task, save_task
from flows import parameters, steps
from flows.settings import find_places
from flows.training import fit
stage, name = sys.argv[1:]
places = find_places()
params = parameters.load(places)[name]
values = steps.sections(params)
base = places.root / "bare"
torch.set_num_threads(params.train.threads)
if stage == "ingest":
    (base / "dataset").mkdir(parents=True)
    card = domain_function(name, "ingest")(params.source, base / "dataset", **values)
    card.save(base / "dataset")
elif stage == "train":
    torch.manual_seed(params.train.seed)
    task, data = domain_function(name, "build")(base / "dataset", **values)
    fit(task, data, params.train, base / "scratch", lambda *a: None, lambda *a: None)
    save_task(task, base / "model", name, values)
else:
    (base / "evaluation/figures").mkdir(parents=True)
    _, task, _ = load_task(base / "model")
    domain_function(name, "evaluate")(base / "dataset", task, base / "evaluation", **values)
"""


def timed(command: list[str], cwd: Path) -> tuple[float, float]:
    """Wall and CPU seconds of a command and all it waited for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CONVOY_")}
    environment["OMP_NUM_THREADS"] = "1"
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(command, cwd=cwd, env=environment, check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print one table, and the same as JSON."""
    domain = sys.argv[1] if len(sys.argv) > 1 else "imu_attitude"
    python = sys.executable
    rows: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "checkout"
        skip = shutil.ignore_patterns(".venv", ".state", "outputs", "cache", "tmp", "__pycache__")
        shutil.copytree(ROOT, copy, ignore=skip)
        (copy / "dvc.lock").unlink(missing_ok=True)
        for stage in ("ingest", "train", "evaluate"):
            rows[f"bare {stage}"] = timed([python, "-c", _BARE, stage, domain], copy)
        run = [python, "-m", "flows", "run", domain]
        rows["convoy run, Prefect starts"] = timed(run, copy)
        rows["convoy run"] = timed([*run, "--force"], copy)
        rows["convoy run --no-server"] = timed([*run, "--force", "--no-server"], copy)
        rows["convoy run, nothing to do"] = timed(run, copy)
        repro = [python, "-m", "dvc", "repro", "-q", f"evaluate@{domain}"]
        rows["dvc repro, nothing to do"] = timed(repro, copy)
        rows["convoy --help"] = timed([python, "-m", "flows", "--help"], copy)
        subprocess.run([python, "-m", "flows", "down"], cwd=copy, stdout=subprocess.DEVNULL)
    bare = [
        sum(rows[f"bare {stage}"][i] for stage in ("ingest", "train", "evaluate")) for i in (0, 1)
    ]
    print(f"{'what':<30}{'wall s':>9}{'CPU s':>9}   load {os.getloadavg()[0]:.1f}, domain {domain}")
    for name, (wall, cpu) in rows.items():
        print(f"{name:<30}{wall:>9.1f}{cpu:>9.1f}")
    over = rows["convoy run"][0] - bare[0]
    print(
        f"machinery over bare functions: {over:.1f} s wall, {over / bare[0]:.0%} of {bare[0]:.1f} s"
    )
    print(json.dumps({"domain": domain, "seconds": rows, "bare": bare}))


if __name__ == "__main__":
    main()
