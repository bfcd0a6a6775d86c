"""A CSV in, a CSV out; what cannot be answered is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from domains.errors import DataError
from domains.template_domain.predict import example_input, infer, predict
from domains.template_domain.train import Task


def test_each_row_gets_its_answer(task: Task, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("x,name\n-1,a\n0,b\n1,c\n")
    predict(task, tmp_path / "in.csv", tmp_path / "out.csv")
    answer = pd.read_csv(tmp_path / "out.csv")
    assert list(answer) == ["x", "y"]
    np.testing.assert_allclose(answer["y"], infer(task, example_input(task))["y"], rtol=1e-5)


def test_what_cannot_be_answered_is_refused(task: Task, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("z\n1\n")
    with pytest.raises(DataError, match="column x is missing, found z"):
        predict(task, tmp_path / "in.csv", tmp_path / "out.csv")
    with pytest.raises(DataError, match=r"can only write \.csv"):
        predict(task, tmp_path / "in.csv", tmp_path / "out.txt")
    with pytest.raises(DataError, match="found shape"):
        infer(task, {"x": np.zeros((2, 2))})
