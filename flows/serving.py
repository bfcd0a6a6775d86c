"""A trained task as an MLflow model: code, safetensors and a signature, nothing pickled.

The model takes and gives named arrays, those of the domain's ``predict.infer``; its signature
comes from ``predict.example_input``.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from domains.task import load_task

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

REQUIREMENTS = ("mlflow", "numpy", "scipy", "torch", "lightning", "safetensors", "pydantic")


def log_model(client: MlflowClient, run: Run, folder: Path, root: Path) -> None:
    """Log the trained task in ``folder`` as the model of ``run``.

    Args:
        client: MLflow.
        run: the training's run.
        folder: ``model.json`` and ``weights.safetensors``.
        root: checkout whose code goes with the model.
    """
    import mlflow
    from mlflow.models import infer_signature

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
            signature=infer_signature(example, answer),
            pip_requirements=_pinned(),
        )
    client.update_run(run.info.run_id, status=run.info.status)


def _pinned() -> list[str]:
    from importlib.metadata import version

    return [f"{name}=={version(name).partition('+')[0]}" for name in REQUIREMENTS]
