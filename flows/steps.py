"""One pipeline step as a process of its own: ``python -m flows.steps STAGE DOMAIN``.

This is what the stages of ``dvc.yaml`` run.  A step reads ``params.yaml``, calls the domain's
function, and puts the result in place whole; it dies with its parent, and only one process at a
time can be at the same step.
"""

from __future__ import annotations

from flows.locks import die_with_parent

if __name__ == "__main__":
    die_with_parent()  # before the other imports, which take most of a second

import errno
import hashlib
import json
import os
import platform
import shutil
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from domains.contract import Card, domain_function
from domains.errors import ConvoyError, StorageError
from domains.files import hash_file, whole_folder, write_json, write_text
from domains.params import DomainParams
from flows import parameters
from flows.devices import hold_device
from flows.locks import lock
from flows.progress import Progress
from flows.results import forget_failure, headline, provenance_note
from flows.settings import Places, ensure_utf8, find_places
from flows.sources import note_listing, resolved
from flows.tracking import Record

_NOT_FOR_TRAINING = ("ingest.py", "evaluate.py", "figures.py", "predict.py", "params.py")


def main(arguments: list[str] | None = None) -> int:
    """Run one step; returns the exit code."""
    # BLAS rounds by its number of threads, and DVC compares bytes; `train.threads` sets torch's own
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    stage, domain = (*(arguments or sys.argv[1:]), "")[:2]
    try:
        run(find_places(Path.cwd()), stage, domain)  # where DVC runs it, whatever CONVOY_ROOT says
    except ConvoyError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"error: {stage}@{domain} was interrupted", file=sys.stderr)
        return 130
    return 0


def run(places: Places, stage: str, domain: str) -> None:
    """Run ``ingest``, ``train`` or ``evaluate`` of one domain, or ``report``.

    Raises:
        ConvoyError: anything the user can mend.
    """
    if stage == "report":
        from flows.report import write_report

        write_report(places)
        return
    params = parameters.load(places)[domain]
    if os.environ.get("LOCAL_RANK", "0") != "0":
        assist(places, domain, params)
        return
    step = {"ingest": ingest, "train": train, "evaluate": evaluate}[stage]
    with lock(places.locks / f"{stage}@{domain}.lock", wait=False):
        started = time.monotonic()
        try:
            step(places, domain, params)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS):
                raise
            free = shutil.disk_usage(places.state).free / 1e6
            where = error.filename or f"{places.root} or {places.state} ({free:.0f} MB free)"
            raise StorageError(
                f"{stage}@{domain}: {error.strerror} at {where}; make room and run again, "
                "earlier results are untouched"
            ) from error
        note_provenance(places, stage, domain, time.monotonic() - started)
    if stage == "evaluate":
        forget_failure(places, domain)


def sections(params: DomainParams) -> dict[str, Any]:
    """What the domain's functions get: the block without ``format`` and ``source``."""
    values = params.model_dump(mode="json")
    return {key: values[key] for key in ("ingest", "model", "train", "evaluate")}


def trained_with(params: DomainParams) -> dict[str, Any]:
    """What belongs to a trained model: a change of ``evaluate`` makes no other one."""
    return {key: value for key, value in sections(params).items() if key != "evaluate"}


def ingest(places: Places, domain: str, params: DomainParams) -> None:
    """Source -> ``outputs/dataset/<domain>`` with its card."""
    source = resolved(places, params.source)
    with note_listing(places, domain, source), whole_folder(places.dataset(domain)) as out:
        card = domain_function(domain, "ingest")(source, out, **sections(params))
        card.save(out)
    for sentence in card.warnings:
        print(f"warning: {domain}: {sentence}")
    for reason, count in card.rejected.items():
        print(f"{domain}: refused {count}: {reason}")


def train(places: Places, domain: str, params: DomainParams) -> None:
    """Dataset -> ``outputs/model/<domain>``; goes on where a killed training stopped."""
    with hold_device(places, params.train.accelerator, params.train.threads):
        _train(places, domain, params)


def _train(places: Places, domain: str, params: DomainParams) -> None:
    from domains.task import save_task
    from flows.training import fit

    key = training_key(places, domain, params)
    scratch = scratch_folder(places, domain, key)
    progress = Progress(f"train {domain}")
    task, data = built(places, domain, params)
    record = open_record(places, domain, params, key, fresh=not scratch.is_dir())
    status = "FAILED"
    try:
        if (scratch / "last.ckpt").is_file():
            print(f"{domain}: going on from the checkpoint in {scratch}")
        history = fit(task, data, params.train, scratch, record.metrics, progress)
        with whole_folder(places.model(domain)) as out:
            save_task(task, out, domain, trained_with(params))
            write_json(out / "record.json", {"key": key})
        write_history(places.history(domain), history)
        record.model(places.model(domain), hash_file(places.model(domain) / "weights.safetensors"))
        status = "FINISHED"
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        record.close(status)
    shutil.rmtree(scratch)


def assist(places: Places, domain: str, params: DomainParams) -> None:
    """The part of a training that Lightning starts for each further device: it only computes."""
    from flows.training import fit

    task, data = built(places, domain, params)
    scratch = scratch_folder(places, domain, training_key(places, domain, params))
    fit(task, data, params.train, scratch, lambda *_: None, lambda *_: None)


def built(places: Places, domain: str, params: DomainParams) -> Any:
    """The untrained task and its data, the same in every process."""
    import torch

    torch.manual_seed(params.train.seed)
    torch.set_num_threads(params.train.threads)
    return domain_function(domain, "build")(places.dataset(domain), **sections(params))


def scratch_folder(places: Places, domain: str, key: str) -> Path:
    """Where the checkpoints of the training with this key are."""
    return places.state / "work" / domain / key


def evaluate(places: Places, domain: str, params: DomainParams) -> None:
    """Dataset and model -> ``outputs/evaluation/<domain>``: metrics, cases, figures."""
    import matplotlib
    import torch

    from domains.task import load_task

    matplotlib.rcdefaults()  # a person's matplotlibrc would change the bytes of the figures
    torch.set_num_threads(params.train.threads)
    _, task, trained = load_task(places.model(domain))
    key = json.loads((places.model(domain) / "record.json").read_text())["key"]
    record = open_record(places, domain, params, key, fresh=False)
    status = "FAILED"
    try:
        with whole_folder(places.evaluation(domain)) as out:
            (out / "figures").mkdir()
            result = domain_function(domain, "evaluate")(
                places.dataset(domain), task, out, **sections(params)
            )
            used = {**trained, "evaluate": sections(params)["evaluate"]}
            write_evaluation(out, result, used)
        log_evaluation(record, places.evaluation(domain), result)
        status = "FINISHED"
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        record.close(status)
    print(f"{domain}: {headline(result.headline)}")


def write_evaluation(out: Path, result: Any, params: dict[str, Any]) -> None:
    """``metrics.json`` for DVC, ``summary.json`` for the report, ``cases.csv``."""
    metrics: dict[str, Any] = {}
    for metric in result.metrics:
        metrics[metric.name] = {"ours": metric.value, **metric.baselines}
    write_json(out / "metrics.json", metrics)
    summary = {
        "metrics": [
            {**vars(metric), "baselines": dict(metric.baselines)} for metric in result.metrics
        ],
        "figures": [vars(figure) for figure in result.figures],
        "notes": list(result.notes),
        "params": params,
    }
    write_json(out / "summary.json", summary)
    result.cases.to_csv(out / "cases.csv", index=False, float_format="%.6g")


def log_evaluation(record: Record, folder: Path, result: Any) -> None:
    """Final numbers beside the baselines, the case table and the figures."""
    values = {}
    for metric in result.metrics:
        values[f"test/{metric.name}"] = metric.value
        for name, value in metric.baselines.items():
            values[f"test/{metric.name}/{name}"] = value
    record.metrics(values, step=record.times_opened)  # a second evaluation is a second point
    record.tags({"mlflow.note.content": headline(result.headline)})  # shown on MLflow's page
    record.artifact(folder / "cases.csv")
    record.artifact(folder / "metrics.json")
    for figure in result.figures:
        record.artifact(folder / figure.file, "figures")


def open_record(
    places: Places, domain: str, params: DomainParams, key: str, *, fresh: bool
) -> Record:
    """The record of this training: continued when it was killed and for its evaluation.

    A new training with the same key (``dvc repro --force``) gets a record of its own.
    """
    number = 1
    while (places.spool / domain / f"{key[:16]}-{number}" / "records.jsonl").is_file():
        number += 1
    number = number if fresh else max(1, number - 1)
    card, digest = Card.load(places.dataset(domain))
    block = parameters.flat(params)
    record = Record(places, domain, f"{key[:16]}-{number}")
    title = f"{block.get('model.network', domain)} {params.source} {key[:8]}"
    record.open(title, params=block, tags=provenance_tags(places))
    record.dataset(card.title, digest, f"dvc://outputs/dataset/{domain}", dict(card.counts))
    return record


def training_key(places: Places, domain: str, params: DomainParams) -> str:
    """Hash of all that training depends on: parameters, code, data."""
    values = sections(params)
    folder = places.root / "domains" / domain
    code = [*folder.glob("*.py"), *folder.glob("models/**/*.py"), *folder.glob("science/**/*.py")]
    code = [path for path in code if path.name not in _NOT_FOR_TRAINING]
    code += (places.root / "shared_layers").rglob("*.py")
    code += (places.root / "shared_layers").rglob("*.cpp")
    digest = hashlib.sha256()
    for part in (
        params.format,
        values["model"],
        values["train"],
        Card.load(places.dataset(domain))[1],
    ):
        digest.update(json.dumps(part, sort_keys=True).encode())
    for path in sorted(code):
        digest.update(f"{path.relative_to(places.root)}\0{hash_file(path)}\n".encode())
    return digest.hexdigest()


def write_history(path: Path, history: list[dict[str, float]]) -> None:
    """One row per validation."""
    import pandas as pd

    write_text(path, pd.DataFrame(history).to_csv(index=False, float_format="%.6g"))


def provenance_tags(places: Places) -> dict[str, str]:
    """Where a run comes from: git commit, DVC experiment, Prefect flow run."""
    from flows.git import describe

    tags = {f"git.{key}": value for key, value in describe(places.root).items()}
    lockfile = places.root / "dvc.lock"
    if lockfile.is_file():
        tags["dvc.lock_md5"] = hashlib.md5(lockfile.read_bytes()).hexdigest()
    for tag, variable in (
        ("dvc.experiment", "DVC_EXP_NAME"),
        ("dvc.stage", "DVC_STAGE"),
        ("prefect.flow_run_id", "CONVOY_FLOW_RUN"),
        ("prefect.flow_run_url", "CONVOY_FLOW_URL"),
    ):
        if value := os.environ.get(variable):
            tags[tag] = value
    return tags


def note_provenance(places: Places, stage: str, domain: str, seconds: float) -> None:
    """When, where and how long: kept outside DVC's outputs, which must be equal on every run.

    The note is filed under the digest of what the stage made, so that results restored from
    DVC's cache find the note of the run that made them.
    """
    write_json(
        provenance_note(places, stage, domain),
        {
            "finished": time.strftime("%Y-%m-%d %H:%M:%S %Z"),
            "seconds": round(seconds, 1),
            "hardware": hardware(),
            "versions": versions(),
            "command": f"dvc repro {stage}@{domain}",
            **provenance_tags(places),
        },
    )


def hardware() -> str:
    """Processor, cores and, where torch is loaded and sees one, the GPU."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    text = f"{model}, {len(os.sched_getaffinity(0))} cores"
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_available():
        text += f", {torch.cuda.get_device_name()}"
    return text


def versions() -> str:
    """Python and the packages that numbers depend on most."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "lightning", "numpy"))
    return f"Python {platform.python_version()}, {packages}"


if __name__ == "__main__":
    ensure_utf8("flows.steps")
    sys.exit(main())
