"""The command line, ``convoy``.  Heavy imports stay inside the command that needs them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from domains.errors import ConvoyError
from flows.settings import Places, ensure_utf8, environment, find_places

if TYPE_CHECKING:
    from flows.runner import StageResult

app = typer.Typer(
    name="convoy",
    help="Applied deep-learning pipelines: run them, compare them, use them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Domains = Annotated[list[str] | None, typer.Argument(help="Domains; none means all.")]
Domain = Annotated[str, typer.Argument(help="A domain; `convoy list` shows them.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("-S", "--set-param", help="key=value for params.yaml, as in `dvc exp run -S`."),
]


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Tracebacks for errors.")] = False,
) -> None:
    """Options of every command."""
    if debug:
        os.environ["CONVOY_DEBUG"] = "1"


@app.command("list")
def list_domains() -> None:
    """The domains, what they do, and their key numbers."""
    from flows.overview import print_domains

    print_domains(_places())


@app.command()
def run(
    domains: Domains = None,
    overrides: Overrides = None,
    paper: Annotated[bool, typer.Option(help="Use the paper's sizes (paper.yaml).")] = False,
    force: Annotated[bool, typer.Option(help="Run even what has not changed.")] = False,
    server: Annotated[bool, typer.Option(help="Through Prefect; --no-server without it.")] = True,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Stages at once; by default cores + 1.")
    ] = None,
) -> None:
    """Bring domains up to date: ingest, train, evaluate, report."""
    from flows import parameters
    from flows.console import ConsoleListener
    from flows.overview import finish
    from flows.pipeline import Request, up_to_date, wanted_overrides
    from flows.pipeline import run as run_request

    places = _places()
    request = Request(domains or (), overrides or (), paper, force, workers)
    # mistakes are told before a server is started
    parameters.choose(parameters.load(places), request.domains)
    parameters.override(places, wanted_overrides(places, request), dry=True)
    if not overrides and not paper and not force and (plan := up_to_date(places, domains or ())):
        finish(places, plan)
        return
    if server:
        from flows.services import ensure_prefect

        os.environ["PREFECT_API_URL"] = ensure_prefect(places)
        # the listener draws the console; Prefect's log goes to its server
        os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
    try:
        with ConsoleListener() as listener:
            results = run_request(places, request, listener, server)
    except KeyboardInterrupt:
        typer.echo("interrupted; the next `convoy run` goes on from here", err=True)
        raise typer.Exit(130) from None
    _end(finish(places, results))


@app.command()
def new(name: Annotated[str, typer.Argument(help="snake_case, e.g. tides.")]) -> None:
    """Write a new domain that trains: its folder, tests and block of params.yaml."""
    from flows.scaffold import new_domain

    for path in new_domain(_places(), name):
        typer.echo(f"written: {path}")
    typer.echo(f"try `convoy run {name}`; domains/{name}/README.md says what to change")


@app.command()
def status(domains: Domains = None) -> None:
    """Which stages are stale, what runs, what failed to reach MLflow."""
    from flows.overview import print_status

    print_status(_places(), domains or ())


@app.command()
def predict(
    domain: Domain,
    input: Annotated[Path, typer.Argument(help="Your file, in the field's format.")],
    output: Annotated[Path, typer.Argument(help="Where the answer goes.")],
    overrides: Annotated[
        list[str] | None,
        typer.Option("-S", "--set-param", help="key=value for this call only."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="A model folder or an MLflow address; default: the champion."),
    ] = None,
) -> None:
    """Apply the champion, or the model trained last while there is none, to your own file."""
    from flows.prediction import predict_file

    name = predict_file(_places(), domain, input, output, overrides or (), model)
    typer.echo(f"model: {name}")
    typer.echo(f"written: {output}")


@app.command()
def compare(domain: Domain) -> None:
    """The domain's runs side by side: parameters that differ, final numbers."""
    from flows.overview import print_comparison

    print_comparison(_places(), domain)


@app.command()
def promote(
    domain: Domain,
    run: Annotated[
        str | None,
        typer.Argument(help="Run id or its beginning, as `convoy compare` shows; default: last."),
    ] = None,
) -> None:
    """Make a run's model the champion if it beats the present one on the same test cases."""
    from flows.overview import print_promotion

    print_promotion(_places(), domain, run)


@app.command()
def report() -> None:
    """Write the report anew from the results at hand."""
    from flows.report import write_report

    typer.echo(f"report: {write_report(_places())}")


@app.command()
def schedule(
    file: Annotated[Path | None, typer.Argument(help="Default: infra/schedules.yaml.")] = None,
) -> None:
    """Serve the schedules of a file until Ctrl-C: cron and interval, through Prefect."""
    from flows.schedules import serve

    places = _places()
    serve(places, file or places.root / "infra" / "schedules.yaml")


@app.command()
def sync() -> None:
    """Bring to MLflow what could not be logged at the time; close runs that were killed."""
    from flows.sync import replay_all

    complete, behind = replay_all(_places())
    typer.echo(f"{complete} records complete in MLflow, {behind} still waiting")
    if behind:
        raise ConvoyError("MLflow did not take everything; run `convoy sync` again when it is up")


@app.command()
def ui() -> None:
    """Start the MLflow and Prefect pages in the background and print their addresses."""
    from flows.services import MLFLOW, ensure_prefect
    from flows.sync import make_client

    places = _places()
    make_client(places)
    typer.echo(f"Prefect: {ensure_prefect(places).removesuffix('/api')}")
    uri = environment(places)["MLFLOW_TRACKING_URI"]
    typer.echo(f"MLflow:  {uri if uri.startswith('http') else MLFLOW.ensure(places)}")
    typer.echo(f"Report:  {places.report / 'index.html'}")


@app.command()
def down() -> None:
    """Stop the background servers."""
    from flows.services import MLFLOW, PREFECT

    places = _places()
    for service in (PREFECT, MLFLOW):
        typer.echo(f"{service.name}: {'stopped' if service.stop(places) else 'was not running'}")


@app.command()
def doctor() -> None:
    """Versions, device, live kernels, lock holders, zombies, disk."""
    from flows.overview import print_health

    print_health(_places())


def _places() -> Places:
    places = find_places()
    os.environ.update(environment(places))
    ours = Path(__file__).resolve().parents[1]
    if ours != places.root and (places.root / "flows").is_dir():
        # another checkout than the one installed: its code, not ours, makes its results
        os.environ["PYTHONPATH"] = str(places.root)
        os.execv(sys.executable, [sys.executable, "-m", "flows", *sys.argv[1:]])
    return places


def _end(results: list[StageResult]) -> None:
    if any(result.outcome in ("failed", "skipped") for result in results):
        raise typer.Exit(1)


def main() -> None:
    """Entry point: errors the user can mend are one line."""
    ensure_utf8("flows")
    try:
        app()
    except ConvoyError as error:
        if os.environ.get("CONVOY_DEBUG"):
            raise
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
