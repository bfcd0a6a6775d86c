"""The user's own tables: CSV files, checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from domains.errors import DataError

TEXT = ("group",)
"""Columns that are names; all others are numbers."""


def read_table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """``columns`` of the CSV at ``path``, in the file's order of rows; other columns are left out.

    A number that is missing is NaN.

    Raises:
        DataError: no such file, no CSV, a column is missing, or a word stands among the numbers.
    """
    where = f"template_domain: {path}"
    if not path.is_file():
        raise DataError(f"{where}: no such file")
    try:
        table = pd.read_csv(path, dtype=dict.fromkeys(TEXT, str))
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise DataError(f"{where}: expected a CSV table: {reason}") from error
    if missing := [name for name in columns if name not in table]:
        raise DataError(
            f"{where}: column {', '.join(missing)} is missing, "
            f"found {', '.join(table)}; rename the columns in the file"
        )
    for name in columns:
        if name not in TEXT and not pd.api.types.is_numeric_dtype(table[name]):
            word = table[name][pd.to_numeric(table[name], errors="coerce").isna()].dropna().iloc[0]
            raise DataError(f"{where}: column {name}: {word!r} is no number")
    return table[list(columns)].replace([np.inf, -np.inf], np.nan)
