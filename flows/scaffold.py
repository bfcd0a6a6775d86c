"""``convoy new``: a domain that trains, from ``flows/templates``, for a person to change."""

from __future__ import annotations

import keyword
import re
import shutil
from pathlib import Path

from ruamel.yaml import YAML

from domains.errors import ParameterError, StorageError
from domains.files import whole_folder, write_text
from flows import parameters
from flows.locks import lock
from flows.settings import Places

_TEMPLATES = Path(__file__).with_name("templates")
_PLACEHOLDER = "template_domain"

_LONGEST = 24
"""Characters of a name: with more, lines of the template would grow too long."""

_PAGES = ("index", "layers", "report")
"""Names that the report and ``dvc.yaml`` have for themselves."""


def new_domain(places: Places, name: str) -> list[Path]:
    """Write folder, tests and parameters of the domain ``name``; returns what was written.

    All of it appears, ``params.yaml`` last, or nothing does.

    Raises:
        ParameterError: no name for a domain, or one that is taken.
        StorageError: the checkout cannot be written.
    """
    folder = places.root / "domains" / name
    tests = places.root / "tests" / "domains" / name
    with lock(places.locks / "params.lock"):
        _check_name(places, name)
        params = _with_block(places.params.read_text(), name)
        try:
            with whole_folder(folder) as code, whole_folder(tests) as checks:
                _fill(code, "domain", name)
                _fill(checks, "domain_tests", name)
            write_text(places.params, params)
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(tests, ignore_errors=True)
            if isinstance(error, OSError):
                raise StorageError(f"{folder}: cannot be written: {error.strerror}") from error
            raise
    return [folder, tests, places.params]


def _check_name(places: Places, name: str) -> None:
    """Refuse a name that is not snake_case, or that something else has."""
    is_snake_case = re.fullmatch(r"[a-z](_?[a-z0-9])+", name) and not keyword.iskeyword(name)
    if not is_snake_case or len(name) > _LONGEST:
        raise ParameterError(
            f"{name!r} is no name for a domain: expected 2 to {_LONGEST} small letters, digits "
            "and single underscores, a letter first, e.g. tides"
        )
    values = parameters.read(places.params)
    root = places.root
    ours = {path.stem for path in root.glob("domains/*.py")} | {
        path.parent.name for path in root.glob("*/__init__.py")
    }
    taken = {
        f"a domain of params.yaml: `convoy run {name}`": name in (values.get("domains") or []),
        "a key of params.yaml": name in values,
        f"a folder already, domains/{name}": (root / "domains" / name).exists(),
        f"a folder already, tests/domains/{name}": (root / "tests" / "domains" / name).exists(),
        "a module of the suite": name in ours,
        "a page of the report": name in _PAGES,
        "the template's own name": name == _PLACEHOLDER,
    }
    for what, is_taken in taken.items():
        if is_taken:
            raise ParameterError(f"{name} is {what}; choose another name")


def _with_block(text: str, name: str) -> str:
    """``params.yaml`` with the name in the list on top and the block at the end.

    The lines are put in as text: all others, with their comments, stay as they are.
    """
    names = YAML().load(text).get("domains")
    if not names or names.fa.flow_style():
        raise ParameterError(
            "params.yaml: expected `domains` as a list with a name on each line (`- name`); "
            "write it so and try again"
        )
    row, column = names.lc.item(len(names) - 1)
    lines = text.rstrip("\n").split("\n")
    lines.insert(row + 1, f"{lines[row][:column]}{name}")
    block = (_TEMPLATES / "block.yaml").read_text().replace(_PLACEHOLDER, name)
    return "\n".join(lines) + "\n\n" + block


def _fill(out: Path, template: str, name: str) -> None:
    """Copy the files of a template to ``out`` with ``name`` in the place of the placeholder."""
    source = _TEMPLATES / template
    for path in sorted(source.rglob("*")):
        if path.is_dir() or "__pycache__" in path.parts:
            continue
        text = path.read_text().replace(_PLACEHOLDER, name)
        place = out / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(_sorted_imports(text) if path.suffix == ".py" else text)


def _sorted_imports(text: str) -> str:
    """``text`` with the neighbouring lines ``from domains… import …`` in alphabetical order."""
    return re.sub(
        r"(?m)(?:^from domains\S* import .*\n)+",
        lambda block: "".join(sorted(block[0].splitlines(keepends=True), key=_module)),
        text,
    )


def _module(line: str) -> str:
    return line.split()[1]
