"""The command line: thin, one file a group of commands; everything but the starters goes through the API."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from servitwin.cli import (
    anomalies,
    bench,
    cases,
    commands,
    contracts,
    controllers,
    data,
    deliveries,
    evidence,
    figures,
    files,
    maintenance,
    planning,
    releases,
    remaining_life,
    replay,
    requirements,
    robots,
    run,
    schedules,
    simulate,
    simulations,
    traces,
    work_orders,
)
from servitwin.cli.starters import Starters


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"servitwin {version('servitwin')}")
        raise typer.Exit


def _every_call(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Which servitwin this is.")
    ] = False,
) -> None:
    _ = version


def create_cli(starters: Starters) -> typer.Typer:
    """The application behind the console command ``servitwin``."""
    app = typer.Typer(
        name="servitwin",
        help="Digital twins that end in something a customer can check and a manufacturer can invoice.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_every_call)
    run.add(app, starters)
    replay.add(app, starters)
    files.add(app, starters)
    figures.add(app)
    contracts.add(app, starters)
    work_orders.add(app)
    controllers.add(app)
    releases.add(app)
    commands.add(app)
    requirements.add(app, starters)
    cases.add(app)
    anomalies.add(app)
    data.add(app)
    evidence.add(app, starters)
    maintenance.add(app)
    planning.add(app)
    remaining_life.add(app)
    schedules.add(app)
    deliveries.add(app)
    robots.add(app)
    simulate.add(app)
    simulations.add(app)
    traces.add(app, starters)
    if starters.bench is not None:
        bench.add(app, starters.bench)
    return app
