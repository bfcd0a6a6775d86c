"""``convoy predict``: a trained model, the user's file in, the field's file out."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from domains.contract import domain_function
from domains.errors import DataError, ParameterError
from domains.task import load_task
from flows import parameters
from flows.results import headline, read_result
from flows.settings import Places


def predict_file(
    places: Places,
    domain: str,
    input: Path,
    output: Path,
    overrides: Sequence[str],
    model: str | None,
) -> list[str]:
    """Apply ``domain``'s model to ``input``; returns lines to show.

    Args:
        places: the checkout.
        domain: its name.
        input: the user's file or folder.
        output: where the answer goes.
        overrides: ``key=value`` of the domain's block, for this call only.
        model: a folder with ``model.json``, an MLflow address such as ``runs:/ID/model`` or
            ``models:/NAME@champion``, or ``None`` for the model trained last.

    Raises:
        ConvoyError: no such domain, model or input, or the domain refuses the input.
    """
    parameters.choose(parameters.load(places), [domain])
    if not input.exists():
        raise DataError(f"{input}: no such file")
    folder = _model_folder(places, domain, model)
    found, task, params = load_task(folder)
    if found != domain:
        raise ParameterError(f"{folder} holds a model of {found}, not of {domain}")
    for pair in overrides:
        _apply(params, pair, domain)
    schema = import_module(f"domains.{domain}.params").Params
    whole = {"format": 1, "source": "sample", **params}
    checked = parameters.validate(domain, whole, schema).model_dump(mode="json")
    params = {key: checked[key] for key in params}
    domain_function(domain, "predict")(task, input, output, **params)
    lines = [f"written: {output}"]
    if model is None and (result := read_result(places, domain)):
        lines.append(f"this model on its test cases: {headline(result.metrics[0])}")
    return lines


def _model_folder(places: Places, domain: str, model: str | None) -> Path:
    if model is None:
        return places.model(domain)
    if Path(model).is_dir():
        return Path(model)
    if not model.startswith(("runs:/", "models:/", "m-")):
        raise DataError(f"--model {model}: expected a model folder or an address runs:/ID/model")
    import mlflow
    from mlflow.exceptions import MlflowException

    from flows.sync import make_client

    make_client(places)
    try:
        return Path(mlflow.artifacts.download_artifacts(model)) / "artifacts" / "model"
    except MlflowException as error:
        raise DataError(f"--model {model}: {str(error).splitlines()[0]}") from error


def _apply(params: dict, pair: str, domain: str) -> None:
    """Set ``key=value`` (with or without the domain in front) in ``params``."""
    from ruamel.yaml import YAML

    key, equals, text = pair.partition("=")
    *path, last = key.removeprefix(f"{domain}.").split(".")
    if not equals or not path:
        raise ParameterError(f"-S {pair}: expected key=value, e.g. evaluate.mode=causal")
    place = params
    for part in path:
        if not isinstance(place.get(part), dict):
            raise ParameterError(f"-S {pair}: no key `{part}` in the parameters of {domain}")
        place = place[part]
    place[last] = YAML(typ="safe").load(text)
