"""The README's Python runs."""

import re
from pathlib import Path

from domains.task import save_task

README = Path(__file__).parents[3] / "domains" / "dance_generation" / "README.md"


def test_the_snippet_runs(task, tmp_path, monkeypatch):
    save_task(task, tmp_path / "outputs/model/dance_generation", "dance_generation", {})
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    (snippet,) = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.S)
    exec(snippet, names)
    assert names["motion"].rotations.shape == (3, 19, 3, 3)
