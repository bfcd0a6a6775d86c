"""``convoy predict``: a trained model, the user's file in, the field's file out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from domains.contract import domain_function
from domains.errors import DataError, ParameterError, StorageError
from domains.task import load_task
from flows import parameters
from flows.settings import Places

_SECTIONS = ("ingest", "model", "train", "evaluate")

_CHANGEABLE = ("ingest", "evaluate")
"""Sections that may be overridden for one call; the others belong to the trained model."""


def predict_file(
    places: Places,
    domain: str,
    input: Path,
    output: Path,
    overrides: Sequence[str],
    model: str | None,
) -> str:
    """Apply ``domain``'s model to ``input``; returns which model answered.

    Args:
        places: the checkout.
        domain: its name.
        input: the user's file or folder.
        output: where the answer goes.
        overrides: ``key=value`` of the sections ``ingest`` and ``evaluate``, for this call only.
        model: a folder with ``model.json``, an MLflow address such as ``runs:/ID/model`` or
            ``models:/NAME/3``, or ``None`` for the champion, or the model trained last while there
            is none.

    Raises:
        ConvoyError: no such domain, model or input, or the domain refuses the input.
    """
    known = parameters.load(places)
    parameters.choose(known, [domain])
    if not input.exists():
        raise DataError(f"{input}: no such file")
    if output.resolve() == input.resolve():
        raise DataError(f"{output}: the answer would replace the input; name another file")
    with _model_folder(places, domain, model) as (folder, name):
        found, task, trained = load_task(folder)
    if found != domain:
        raise ParameterError(f"{folder} holds a model of {found}, not of {domain}")
    params = {key: _filled(trained.get(key, {}), getattr(known[domain], key)) for key in _SECTIONS}
    for pair in overrides:
        _apply(params, pair, domain)
    schema = import_module(f"domains.{domain}.params").Params
    whole = {"format": 1, "source": "sample", **params}
    where = f"-S {' '.join(overrides)}" if overrides else "parameters of the model"
    checked = parameters.validate(domain, whole, schema, where).model_dump(mode="json")
    params = {key: checked[key] for key in params}
    try:
        domain_function(domain, "predict")(task, input, output, **params)
    except OSError as error:
        raise StorageError(f"{output}: cannot be written: {error.strerror or error}") from error
    return name


@contextmanager
def _model_folder(places: Places, domain: str, model: str | None) -> Iterator[tuple[Path, str]]:
    """The folder of a trained task, and what it is called."""
    if model is not None and Path(model).is_dir():
        yield Path(model), model
        return
    if model is not None and not model.startswith(("runs:/", "models:/")):
        raise DataError(f"--model {model}: expected a model folder or an address runs:/ID/model")
    from flows.champions import ALIAS, downloaded, has_champion

    if model is None and not has_champion(places, domain):
        yield places.model(domain), f"trained last, {domain} has no champion"
        return
    address = model or f"models:/{domain}@{ALIAS}"
    with downloaded(places, address) as folder:
        yield folder, address


def _filled(trained: Mapping[str, Any], now: BaseModel) -> dict[str, Any]:
    """The model's own values; those it does not have are from ``params.yaml``."""
    values = now.model_dump(mode="json")
    for name in values.keys() & trained.keys():
        part = getattr(now, name)
        is_section = isinstance(part, BaseModel) and isinstance(trained[name], Mapping)
        values[name] = _filled(trained[name], part) if is_section else trained[name]
    return values


def _apply(params: dict, pair: str, domain: str) -> None:
    """Set ``key=value`` (with or without the domain in front) in ``params``."""
    key, equals, text = pair.partition("=")
    section, *path = key.removeprefix(f"{domain}.").split(".")
    if not equals or not path:
        raise ParameterError(f"-S {pair}: expected key=value, e.g. evaluate.predict.mode=causal")
    if section not in _CHANGEABLE:
        raise ParameterError(
            f"-S {pair}: `{section}` belongs to the trained model; one call can change "
            f"{' and '.join(_CHANGEABLE)}"
        )
    place = params[section]
    for part in path[:-1]:
        if not isinstance(place.get(part), dict):
            raise ParameterError(f"-S {pair}: no key `{part}` in the parameters of {domain}")
        place = place[part]
    try:
        place[path[-1]] = YAML(typ="safe").load(text)
    except (YAMLError, ValueError) as error:  # ValueError: a date that does not exist
        raise ParameterError(f"-S {pair}: the value is not valid YAML") from error
