"""A CSV of x -> a CSV of y."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from domains.errors import DataError
from domains.files import write_text


def example_input(task: object) -> dict[str, np.ndarray]:
    """Three points."""
    return {"x": np.zeros((3, 1), dtype=np.float32)}


def infer(task: torch.nn.Module, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """x (N, 1) -> y (N, 1)."""
    with torch.no_grad():
        return {"y": task(torch.as_tensor(arrays["x"], dtype=torch.float32)).numpy()}


def predict(task: torch.nn.Module, input: Path, output: Path, **params: Any) -> None:
    """Answer the user's file."""
    table = pd.read_csv(input)
    if "x" not in table:
        raise DataError(f"{input}: expected a column x, found {list(table.columns)}")
    table["y"] = infer(task, {"x": table[["x"]].to_numpy()})["y"]
    write_text(output, table.to_csv(index=False))
