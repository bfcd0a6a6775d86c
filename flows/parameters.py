"""``params.yaml``: read, checked against each domain's schema, overridden by ``-S``.

The file is the only place where a value lives.  ``-S key=value`` and ``--paper`` edit it in
place with its comments kept, exactly as ``dvc exp run -S`` does: ``git diff params.yaml`` shows
what changed, ``git checkout params.yaml`` goes back, and DVC restores the results.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from domains.errors import ParameterError
from domains.files import write_text
from domains.params import DomainParams
from flows.locks import lock
from flows.settings import Places


def read(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
        ParameterError: not YAML, or not a mapping.
    """
    try:
        value = YAML(typ="safe").load(path.read_text())
    except (YAMLError, ValueError) as error:  # ValueError: a date that does not exist
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ParameterError(f"{path.name}{where}: not valid YAML: {problem}") from error
    if not isinstance(value, dict):
        raise ParameterError(f"{path.name}: expected a mapping, found {type(value).__name__}")
    return value


def load(places: Places) -> dict[str, DomainParams]:
    """Each domain's checked block of ``params.yaml``, in the order of the list ``domains``.

    Raises:
        ParameterError: names the key, what it takes, and the nearest right name.
    """
    return check(read(places.params), places.root)


def check(values: Mapping[str, Any], root: Path) -> dict[str, DomainParams]:
    """The same for values that are not on disk yet."""
    names = values.get("domains")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ParameterError("params.yaml: `domains` must be the list of the domains to run")
    for key in values:
        if key != "domains" and key not in names:
            raise ParameterError(
                f"params.yaml: `{key}` is not in the list `domains`{_nearest(key, names)}; "
                "add it there, or remove the block"
            )
    checked = {}
    for name in names:
        if name not in values:
            raise ParameterError(f"params.yaml: `domains` lists {name}, but there is no such block")
        if not (root / "domains" / name / "params.py").is_file():
            raise ParameterError(f"params.yaml: no folder domains/{name} with a params.py")
        schema = import_module(f"domains.{name}.params").Params
        checked[name] = validate(name, values[name], schema)
    return checked


def validate(
    domain: str, block: Any, schema: type[DomainParams], where: str = "params.yaml"
) -> DomainParams:
    """One domain's block, checked; ``where`` names its origin in the error.

    Raises:
        ParameterError: names the key, what it takes, and the nearest right name.
    """
    try:
        return schema.model_validate(block)
    except ValidationError as error:
        raise ParameterError(f"{where}: {_explain(domain, error, schema)}") from None


def choose(checked: Mapping[str, DomainParams], wanted: Sequence[str]) -> list[str]:
    """The domains to work on: those ``wanted``, else all.

    Raises:
        ParameterError: an unknown name.
    """
    for name in wanted:
        if name not in checked:
            known = ", ".join(checked)
            raise ParameterError(f"no domain {name!r}{_nearest(name, checked)}; there are: {known}")
    return list(wanted) or list(checked)


def paper_overrides(places: Places, domain: str) -> list[str]:
    """The paper-size values of ``domains/<domain>/paper.yaml`` as overrides."""
    path = places.root / "domains" / domain / "paper.yaml"
    if not path.is_file():
        raise ParameterError(
            f"{path.relative_to(places.root)}: missing, {domain} has no paper size"
        )
    return [f"{domain}.{key}={json.dumps(value)}" for key, value in _leaves(read(path))]


def override(places: Places, overrides: Sequence[str], *, dry: bool = False) -> None:
    """Write ``key=value`` pairs into ``params.yaml``; on any error the file stays as it was.

    Args:
        places: the checkout.
        overrides: pairs in the grammar of ``dvc exp run -S``.
        dry: check only.

    Raises:
        ParameterError: unknown key, malformed pair, or a value the schema refuses.
    """
    if not overrides:
        return
    from dvc.exceptions import DvcException
    from dvc.utils.hydra import apply_overrides

    with lock(places.locks / "params.lock"):
        old = read(places.params)
        leaves = dict(_leaves(old))
        for pair in overrides:
            key, equals, _ = pair.partition("=")
            if not equals:
                raise ParameterError(f"-S {pair}: expected key=value")
            if key not in leaves and not any(leaf.startswith(f"{key}.") for leaf in leaves):
                raise ParameterError(f"-S {pair}: no key `{key}`{_nearest(key, leaves)}")
        draft = places.params.with_name(f".params.{os.getpid()}.yaml")
        try:
            shutil.copyfile(places.params, draft)
            try:
                apply_overrides(draft, list(overrides))
            except DvcException as error:
                reason = str(error.__cause__ or error).splitlines()[0]
                raise ParameterError(f"-S {' '.join(overrides)}: {reason}") from error
            new = read(draft)
            check(new, places.root)
            if not dry:
                edited = _edited(places.params.read_text(), old, new)
                write_text(places.params, edited or draft.read_text())
        finally:
            draft.unlink(missing_ok=True)


def _edited(text: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    """``text`` with only the changed values replaced, ``None`` where that is not possible.

    DVC writes the whole file anew in its own layout; a person wants a diff of one line.
    """
    before, after = dict(_leaves(old)), dict(_leaves(new))
    tree = YAML().load(text)
    lines = text.split("\n")
    for key in after:
        if key in before and before[key] == after[key]:
            continue
        *path, last = key.split(".")
        place = tree
        for part in path:
            place = place.get(part, {})
        if last not in place:
            return None
        row, column = place.lc.value(last)
        kept, _, comment = lines[row][column:].partition(" #")
        lines[row] = lines[row][:column] + _inline(after[key])
        lines[row] += f" #{comment}" if comment else kept[len(kept.rstrip()) :]
    edited = "\n".join(lines)
    try:
        same = YAML(typ="safe").load(edited) == new
    except YAMLError:
        return None
    return edited if same else None


def _inline(value: Any) -> str:
    """A value as YAML on one line: JSON is, and plain words need no quotes."""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z][\w./-]*", value):
        return value
    return json.dumps(value, ensure_ascii=False)


def flat(block: BaseModel) -> dict[str, Any]:
    """``{"train.lr": 0.001, ...}``: the names used in ``params.yaml``, for MLflow."""
    return dict(_leaves(block.model_dump(mode="json")))


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _nearest(name: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean `{close[0]}`?" if close else ""


def _explain(domain: str, error: ValidationError, schema: type[BaseModel]) -> str:
    """One line for the first thing pydantic found, with the count of the others."""
    # a misspelt key is also a missing one: the misspelling is what helps
    first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    path = [str(part) for part in first["loc"]]
    key = ".".join([domain, *path])
    fields = _fields_at(schema, path[:-1])
    if first["type"] == "extra_forbidden":
        text = f"unknown key `{key}`{_nearest(path[-1], fields)}"
    elif first["type"] == "missing":
        text = f"`{key}` is missing"
    else:
        text = f"`{key}` = {first['input']!r}: {first['msg']}"
    if path[-1] in fields and (meaning := fields[path[-1]].description):
        text += f" ({meaning})"
    more = len(error.errors()) - 1
    return text + (f"; and {more} more" if more else "")


def _fields_at(schema: Any, path: list[str]) -> dict[str, Any]:
    for part in path:
        field = getattr(schema, "model_fields", {}).get(part)
        schema = field.annotation if field else None
    return dict(getattr(schema, "model_fields", {}))
