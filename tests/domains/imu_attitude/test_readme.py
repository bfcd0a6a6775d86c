"""The README's Python runs."""

import re
from pathlib import Path

import numpy as np

from domains.imu_attitude.train import Task
from domains.task import save_task

README = Path(__file__).parents[3] / "domains" / "imu_attitude" / "README.md"


def test_the_snippets_run_one_after_the_other(tmp_path, monkeypatch):
    devices = {"simulated A": {"rate_hz": 100.0, "simulated": True}}
    config = {"hidden": 8, "dropout": 0.0, "lr": 1e-3, "weight_decay": 0.0, "max_steps": 5}
    save_task(
        Task("hybrid", devices, **config),
        tmp_path / "outputs/model/imu_attitude",
        "imu_attitude",
        {},
    )
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    snippets = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.S)
    assert len(snippets) == 2
    for snippet in snippets:
        exec(snippet, names)
    np.testing.assert_allclose(np.linalg.norm(names["quaternion"]), 1.0, atol=1e-9)
    assert (tmp_path / "causal.onnx").stat().st_size > 1000
