"""A trained task as an MLflow model: code, safetensors and a signature, nothing pickled.

The model takes and gives named arrays, those of the domain's ``predict.infer``; its signature
comes from ``predict.example_input``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domains.task import load_task

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from mlflow.models import ModelSignature
    from numpy.typing import NDArray

_NOT_SERVED = ("prefect", "fastapi", "dvc", "psutil", "typer", "rich", "jinja2", "ruamel.yaml")
"""Requirements of the suite that only flows and the command line need."""


def log_model(client: MlflowClient, run: Run, folder: Path, root: Path) -> None:
    """Log the trained task in ``folder`` as the model of ``run``.

    Args:
        client: MLflow.
        run: the training's run.
        folder: ``model.json`` and ``weights.safetensors``.
        root: checkout whose code goes with the model.
    """
    import mlflow

    domain, task, _ = load_task(folder)
    predict = import_module(f"domains.{domain}.predict")
    example = predict.example_input(task)
    answer = predict.infer(task, example)
    with mlflow.start_run(run_id=run.info.run_id):
        mlflow.pyfunc.log_model(
            name="model",
            python_model=str(Path(__file__).with_name("served_model.py")),
            artifacts={"model": str(folder)},
            code_paths=[str(root / name) for name in ("domains", "shared_layers")],
            signature=_signature(example, answer),
            pip_requirements=_pinned(root),
        )
    client.update_run(run.info.run_id, status=run.info.status)


def _signature(example: Mapping[str, NDArray], answer: Mapping[str, NDArray]) -> ModelSignature:
    """Names, types and axes of the arrays; their lengths are free, and checked by ``infer``."""
    from mlflow.models import ModelSignature, infer_signature
    from mlflow.types import Schema, TensorSpec

    def free(schema: Schema) -> Schema:
        arrays: list[Any] = schema.inputs
        return Schema([TensorSpec(one.type, (-1,) * len(one.shape), one.name) for one in arrays])

    found = infer_signature(example, answer)
    return ModelSignature(free(found.inputs), free(found.outputs))


def _pinned(root: Path) -> list[str]:
    """What the domains need, as installed here."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    names = [re.split(r"[\s<>=\[]", line)[0] for line in project["dependencies"]]
    return [
        f"{name}=={version(name).partition('+')[0]}" for name in names if name not in _NOT_SERVED
    ]
