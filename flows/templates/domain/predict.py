"""A trained model and the user's table of x to its y, as CSV.

Legend: B points.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from domains.errors import DataError
from domains.files import write_text
from domains.template_domain.sources.files import read_table

if TYPE_CHECKING:
    from domains.template_domain.train import Task


def predict(task: Task, input: Path, output: Path, **params: Mapping[str, Any]) -> None:
    """Write ``x`` and the estimated ``y``, both in m, for each row of the table ``input``.

    Args:
        task: a trained task.
        input: CSV with a column ``x`` in m.
        output: ends in .csv; it appears whole or not at all.
        **params: the domain's block; nothing of it is read.

    Raises:
        DataError: the input cannot be used, or the output has another ending.
    """
    output = Path(output)
    if output.suffix.lower() != ".csv":
        raise DataError(f"template_domain: {output}: can only write .csv")
    table = read_table(Path(input), ["x"])
    table["y"] = infer(task, {"x": table["x"].to_numpy()})["y"]
    write_text(output, table.to_csv(index=False, float_format="%.6g"))


def infer(task: Task, arrays: Mapping[str, NDArray]) -> dict[str, NDArray[np.float64]]:
    """``y`` (B,) in m at ``x`` (B,) in m.

    Args:
        task: a trained task.
        arrays: ``x``.

    Raises:
        DataError: ``x`` is missing, of another shape, or not finite.
    """
    x = np.asarray(arrays.get("x", np.nan), dtype=np.float64)
    if x.ndim != 1 or not np.isfinite(x).all():
        raise DataError(
            f"template_domain: expected x (B,), finite, in m; found shape {x.shape} with "
            f"{np.count_nonzero(~np.isfinite(x))} values that are not finite"
        )
    return {"y": task.estimate(x)}


def example_input(_: Task) -> dict[str, NDArray[np.float64]]:
    """Three points, as ``infer`` takes them."""
    return {"x": np.array([-1.0, 0.0, 1.0])}
