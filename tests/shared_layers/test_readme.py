"""The library's README names every public name and nothing else, and its example runs."""

import ast
import json
import re
import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import shared_layers
from benchmarks.shared_layers import __main__ as kernels
from benchmarks.shared_layers.layer_cases import all_cases
from benchmarks.shared_layers.layer_flops import FORMULAS, count_flops
from benchmarks.shared_layers.layers import cells, write_readme
from shared_layers.ops.mlstm import chunkwise

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "shared_layers"
README = (LIBRARY / "README.md").read_text()


def rows(text):
    """The cells of each table row, header and ruler left out."""
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def names(cell):
    return re.findall(r"`(\w+)`", cell)


def section(title):
    """The text under a heading of second rank."""
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_tables_name_every_public_name_once_and_no_other():
    found = [
        name
        for part in ("Layers", "Functions")
        for row in rows(section(part))
        for name in names(row[0])
    ]
    assert sorted(found) == sorted(shared_layers.__all__)


def test_layers_stand_under_the_package_that_defines_them():
    for part in section("Layers").split("\n### ")[1:]:
        package = part.split("\n")[0]
        for row in rows(part):
            module = getattr(shared_layers, *names(row[0])).__module__
            assert module.startswith(f"shared_layers.{package}."), row[0]


def test_every_row_has_its_paper_and_its_numbers():
    for row in rows(section("Layers")):
        assert len(row) == 9, row[0]
        name, paper, differs, size, parameters, mflop, times, _, used_by = row
        assert "arXiv:" in paper or paper.startswith(("as ", "none: torch's")), name
        assert all((differs, size, parameters, mflop, times, used_by)), name


def test_a_domain_that_is_not_called_planned_imports_the_layer():
    for row in rows(section("Layers")):
        if row[-1] == "none yet" or row[-1].endswith("(planned)") or names(row[-1]):
            continue
        for domain in row[-1].split(", "):
            sources = (ROOT / "domains" / domain).rglob("*.py")
            assert any(names(row[0])[0] in path.read_text() for path in sources), row


def test_a_layer_named_as_user_of_another_has_its_name_in_its_source():
    for row in rows(section("Layers")):
        for user in names(row[-1]):
            module = sys.modules[getattr(shared_layers, user).__module__]
            source = Path(str(module.__file__)).read_text()
            assert re.search(rf"\b{re.sub('[123]d$', '', names(row[0])[0])}", source), row[0]


def test_the_example_of_the_first_screen_runs():
    (example,) = re.findall(r"(?s)```python\n(.*?)```", README)
    assert len([line for line in example.splitlines() if line]) <= 6
    exec(compile(example, "README.md", "exec"), {})


def test_the_error_shown_is_the_error_raised():
    with pytest.raises(ValueError, match="expected odd sizes") as raised:
        shared_layers.PaddedConv2d(4, 4, 2)
    assert str(raised.value) in " ".join(README.split())


def test_links_lead_to_files():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (LIBRARY / target).exists(), target


def test_the_kernels_table_is_that_of_the_last_results():
    last = json.loads(kernels.RESULTS.read_text())
    table = README.split("<!-- kernels -->\n")[1].split("\n<!-- /kernels -->")[0]
    assert table == kernels.kernel_table(last["rows"], last["machine"])


def test_a_row_below_its_aim_says_so():
    row = {"kernel": "mLSTM cell", "case": "S 8", "ours_ms": 2.0, "theirs_ms": 3.0, "ratio": 1.5}
    about = {"processor": "P", "instructions": "I", "python": "3", "torch": "2"}
    (line,) = rows(kernels.kernel_table([{**row, "bar": 7.0}], about).replace("| mL", "| `mL"))
    assert line[3:7] == ["2", "3", "1.50", "≥ 7 **missed**"]
    (line,) = rows(kernels.kernel_table([{**row, "bar": 1.2}], about).replace("| mL", "| `mL"))
    assert line[6] == "≥ 1.2"


def test_kernels_and_forms_are_those_that_exist():
    table = {names(row[0])[0]: row[2].split(", ") for row in rows(section("Kernels"))[:4]}
    assert table == {kernel: list(forms) for kernel, forms in shared_layers.kernels_info().items()}


def test_the_library_imports_torch_and_the_standard_library_only():
    allowed = {*sys.stdlib_module_names, "torch", "triton", "shared_layers"}
    for path in LIBRARY.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                found = [str(node.module)]
            assert {name.split(".")[0] for name in found} <= allowed, path


def test_every_public_layer_has_a_benchmark_case():
    public = {
        name
        for name in shared_layers.__all__
        if isinstance(kind := getattr(shared_layers, name), type) and issubclass(kind, nn.Module)
    }
    measured = [case.name for case in all_cases()]
    assert sorted(measured) == sorted(public)


def test_formulas_count_what_torch_counts_for_the_layer_of_torch():
    for case in all_cases():
        if case.name in ("DepthwiseConv1d", "DepthwiseConv2d", "DepthwiseConv3d", "Hopfield"):
            expected = count_flops(case.twin, case.inputs)
            assert count_flops(case.layer, case.inputs) == expected > 0


def test_the_formula_of_the_cell_counts_its_matrix_products():
    q, k, v = torch.randn(3, 2, 4, 130, 16)
    gates = torch.randn(2, 2, 4, 130)
    with FlopCounterMode(display=False) as counter:
        chunkwise.forward(q, k, v, *gates, length=64, eps=1e-6)
    formula = FORMULAS[torch.ops.shared_layers.mlstm_chunkwise]
    shapes = [q.shape, k.shape, v.shape, gates[0].shape, gates[1].shape]
    assert formula(*shapes, 64, 1e-6) == counter.get_total_flops()


def test_writing_changes_numbers_and_keeps_words(tmp_path, monkeypatch):
    row = {"layer": "GPSA", "size": "`(1)` on 2·3", "parameters": 1234, "mflop": 0.004}
    row |= {"forward_ms": 1.234, "step_ms": 123.4}
    copy = tmp_path / "README.md"
    copy.write_text(README)
    monkeypatch.setattr("benchmarks.shared_layers.results.README", copy)
    about = {"processor": "P", "instructions": "I", "python": "3", "torch": "2"}
    write_readme([row], about)
    before = {names(r[0])[0]: r for r in rows(README)}
    after = {names(r[0])[0]: r for r in rows(copy.read_text())}
    assert after["GPSA"] == [*before["GPSA"][:3], *cells(row), before["GPSA"][-1]]
    assert cells(row) == ["`(1)` on 2·3", "1,234", "0.004", "1.23 / 123", ""]
    assert {**after, "GPSA": 0} == {**before, "GPSA": 0}
