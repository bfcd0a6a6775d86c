"""Real news: Horne part against part, MediaEval with one event left out, all methods in one run.

    CONVOY_MIRROR=... python -m benchmarks.fake_news [--corpus horne ...] [--out FILE]

Parameters are those of ``params.yaml`` with ``CHANGES``: posts are short, and the halves of TI-CNN
get as many seeds as the whole where pictures are judged; recurrent peers are left to the articles.
"""

from __future__ import annotations

import argparse
import copy
import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import yaml

from domains.fake_news.evaluate import evaluate
from domains.fake_news.ingest import ingest
from domains.fake_news.params import Params
from domains.fake_news.train import build
from domains.files import write_json
from flows.training import fit

CHANGES: dict[str, dict[str, dict[str, Any]]] = {
    "horne": {},
    "mediaeval": {
        "model": {"length": 40, "image_filters": 16},
        "train": {"peers": {"ti_cnn_text": 3, "ti_cnn_image": 3, "kim_cnn": 1}},
    },
}
"""Corpus -> section -> what differs from ``params.yaml``."""

POSTS_PER_IMAGE = 20
"""Some pictures have hundreds of posts, mostly retweets; articles are not concerned."""


def block_of(corpus: str, block: Mapping[str, Any]) -> Params:
    """The parameters for one corpus."""
    changed = copy.deepcopy(dict(block))
    changed["ingest"]["public"] = {"corpus": corpus, "max_posts_per_image": POSTS_PER_IMAGE}
    for section, values in CHANGES[corpus].items():
        changed[section].update(values)
    return Params.model_validate(changed)


def run_corpus(
    corpus: str, block: Mapping[str, Any], folder: Path, data: Path | None
) -> dict[str, Any]:
    """Metrics, AUC by fold and CPU seconds of one corpus.

    Args:
        corpus: key of ``CHANGES``.
        block: of ``params.yaml``.
        folder: for scratch.
        data: folder of ingested corpora by name; ``None`` ingests.
    """
    params = block_of(corpus, block)
    sections = params.model_dump(mode="json", include={"ingest", "model", "train", "evaluate"})
    seconds = {}
    begin = time.process_time()
    dataset = data / corpus if data else folder / "data"
    if data is None:
        ingest("public", dataset, **sections)
    seconds["ingest"] = time.process_time() - begin
    torch.manual_seed(params.train.seed)
    task, data = build(dataset, **sections)
    history = fit(task, data, params.train, folder / "scratch", _ignore, _ignore)
    seconds["train"] = time.process_time() - begin - seconds["ingest"]
    result = evaluate(dataset, task.eval(), folder / "out", **sections)
    seconds["evaluate"] = time.process_time() - begin - sum(seconds.values())
    for row in history:
        print({key: round(value, 4) for key, value in row.items()}, flush=True)
    whole = result.cases[result.cases["case"].str.endswith(", all")]
    columns = [name for name in whole if name.split(":")[0] == "auc"]
    return {
        "steps": min(history, key=lambda row: row["val_loss"])["step"],
        "metrics": {
            metric.name: {"n": metric.n, "ours": metric.value, **metric.baselines}
            for metric in result.metrics
        },
        "auc_by_fold": {
            row["case"].removesuffix(", all"): {name: row[name] for name in columns}
            for row in whole.to_dict("records")
        },
        "notes": list(result.notes),
        "cpu_s": {stage: round(value, 1) for stage, value in seconds.items()},
    }


def _ignore(*_: Any) -> None:
    """Nobody watches."""


def main() -> None:
    """Run the corpora asked for and print their tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpus", action="append", choices=list(CHANGES), help="all by default")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--data", type=Path, help="ingested corpora, by name; made anew by default")
    parser.add_argument("--out", type=Path, help="also write the figures to this JSON file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    block = yaml.safe_load(options.params.read_text())["fake_news"]
    found = json.loads(options.out.read_text()) if options.out and options.out.is_file() else {}
    for corpus in options.corpus or CHANGES:
        with tempfile.TemporaryDirectory() as scratch:
            found[corpus] = run_corpus(corpus, block, Path(scratch), options.data)
        print(corpus, json.dumps(found[corpus], indent=2), flush=True)
        if options.out:
            write_json(options.out, found)


if __name__ == "__main__":
    main()
