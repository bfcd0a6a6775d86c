"""Every domain folder keeps the contract; what one lacks is listed."""

from __future__ import annotations

import importlib
import inspect
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import grimp
import pytest

from domains.contract import Card, Evaluation, Metric, domain_function
from domains.params import DomainParams, TrainParams
from flows import parameters
from flows.settings import Places
from tests.checkout import ROOT, laid_over

PLACES = Places(ROOT, ROOT / ".state")
DOMAINS = parameters.read(PLACES.params)["domains"]

FILES = (
    "__init__.py",
    "README.md",
    "params.py",
    "paper.yaml",
    "ingest.py",
    "data.py",
    "train.py",
    "evaluate.py",
    "figures.py",
    "predict.py",
    "models/__init__.py",
    "science/__init__.py",
    "sources/__init__.py",
)
FUNCTIONS = ("ingest", "build", "evaluate", "predict")


def nameless(fields: dict, prefix: str = "") -> Iterator[str]:
    """Keys without a description, in sections at any depth; a section needs none itself."""
    for key, field in fields.items():
        inner = getattr(field.annotation, "model_fields", None)
        if inner:
            yield from nameless(inner, f"{prefix}{key}.")
        elif not field.description:
            yield f"{prefix}{key}"


def missing(name: str, root: Path) -> list[str]:
    """What the folder ``domains/<name>`` lacks, as a list of sentences."""
    folder = root / "domains" / name
    found = [f"{folder}/{file} is missing" for file in FILES if not (folder / file).is_file()]
    if found:
        return found
    package = importlib.import_module(f"domains.{name}")
    for function in FUNCTIONS:
        try:
            domain_function(name, function)
        except AttributeError:
            found.append(f"{name} lacks the function {function}()")
    if len((package.__doc__ or "").strip().splitlines()) < 3:
        found.append(f"{name}/__init__.py: its docstring must name papers, data, axes and units")
    schema = importlib.import_module(f"domains.{name}.params").Params
    if not issubclass(schema, DomainParams):
        found.append(f"{name}/params.py: Params must derive from DomainParams")
    predict = importlib.import_module(f"domains.{name}.predict")
    found += [
        f"{name}/predict.py lacks {function}() with {count} argument{'s'[: count - 1]}"
        for function, count in (("infer", 2), ("example_input", 1))
        if num_required(getattr(predict, function, None)) != count
    ]
    if not hasattr(importlib.import_module(f"domains.{name}.train"), "Task"):
        found.append(f"{name}/train.py lacks the class Task")
    return found


def num_required(function: Callable | None) -> int | None:
    """Arguments that a caller must give."""
    if function is None:
        return None
    parameters = inspect.signature(function).parameters.values()
    return sum(one.default is one.empty for one in parameters)


@pytest.mark.parametrize("name", DOMAINS)
def test_the_folder_has_all_that_a_domain_needs(name: str) -> None:
    assert missing(name, ROOT) == []


@pytest.mark.parametrize("name", DOMAINS)
def test_no_module_lies_where_dvc_does_not_look(name: str) -> None:
    found = {path.name for path in (ROOT / "domains" / name).glob("*.py")}
    assert found == {file for file in FILES if file.endswith(".py") and "/" not in file}


def test_what_a_folder_lacks_is_listed_by_name(tmp_path: Path) -> None:
    (tmp_path / "domains/tides").mkdir(parents=True)
    (tmp_path / "domains/tides/__init__.py").touch()
    lacking = missing("tides", tmp_path)
    assert len(lacking) == len(FILES) - 1
    assert f"{tmp_path}/domains/tides/params.py is missing" in lacking


def test_every_domain_folder_that_trains_is_in_the_list_of_params_yaml() -> None:
    """One without ``train.py`` is being built and cannot be listed yet."""
    folders = {p.parent.name for p in (ROOT / "domains").glob("*/train.py")}
    assert folders == set(DOMAINS)


@pytest.mark.parametrize("name", DOMAINS)
def test_every_value_of_the_block_has_a_comment_and_every_field_a_meaning(name: str) -> None:
    block = (ROOT / "params.yaml").read_text().split(f"\n{name}:\n")[1]
    for line in re.split(r"\n(?=\S)", block)[0].splitlines():
        is_value = re.match(r" +\w+: *[^#\s]", line)
        assert not is_value or " # " in line, f"params.yaml, {name}: no unit or range: {line}"
    schema = importlib.import_module(f"domains.{name}.params").Params
    assert list(nameless(schema.model_fields)) == []
    assert issubclass(schema.model_fields["train"].annotation, TrainParams)


@pytest.mark.parametrize("name", DOMAINS)
def test_the_paper_size_becomes_the_block(name: str, tmp_path: Path) -> None:
    (tmp_path / "domains").symlink_to(ROOT / "domains")
    shutil.copyfile(PLACES.params, tmp_path / "params.yaml")
    places = Places(tmp_path, tmp_path / ".state")
    parameters.override(places, parameters.paper_overrides(places, name))
    paper = parameters.read(ROOT / "domains" / name / "paper.yaml")
    found = parameters.read(places.params)[name]
    assert found == laid_over(parameters.read(PLACES.params)[name], paper)


@pytest.mark.parametrize("name", DOMAINS)
def test_importing_a_domain_loads_no_engine(name: str) -> None:
    import subprocess
    import sys

    code = f"import sys, domains.{name}; print('torch' in sys.modules, 'mlflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "False False", done.stderr


def test_domains_do_not_know_each_other_nor_the_contract_them() -> None:
    graph = grimp.build_graph("domains")
    for name in DOMAINS:
        inside = {f"domains.{name}", *graph.find_descendants(f"domains.{name}")}
        importers = {
            user for module in inside for user in graph.find_modules_that_directly_import(module)
        }
        assert importers <= inside, f"{importers - inside} must not import domains.{name}"


def test_a_metric_without_cases_or_direction_is_refused() -> None:
    with pytest.raises(ValueError, match="n = 0, a number needs a case"):
        Metric("error", 1.0, "m", "lower", 0)
    with pytest.raises(ValueError, match="better is lower or higher, not 'up'"):
        Metric("error", 1.0, "m", "up", 1)  # type: ignore[arg-type]


def test_an_evaluation_needs_a_headline_and_cases() -> None:
    import pandas as pd

    with pytest.raises(ValueError, match="at least one Metric"):
        Evaluation([], pd.DataFrame({"case": ["a"]}), [])
    with pytest.raises(ValueError, match="'case' as first column"):
        Evaluation([Metric("e", 1.0, "m", "lower", 1)], pd.DataFrame({"x": [1]}), [])


def test_a_card_knows_the_hash_of_its_data(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1\n")
    card = Card("t", "s", "l", {}, {}, {}, warnings=[])
    card.save(tmp_path)
    loaded, first = Card.load(tmp_path)
    assert loaded == card
    (tmp_path / "a.csv").write_text("2\n")
    card.save(tmp_path)
    assert Card.load(tmp_path)[1] != first


def test_contract_functions_take_keyword_parameters() -> None:
    for name in DOMAINS:
        for function in FUNCTIONS:
            kinds = inspect.signature(domain_function(name, function)).parameters.values()
            assert any(kind.kind is kind.VAR_KEYWORD for kind in kinds), f"{name}.{function}"
