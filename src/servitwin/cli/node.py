"""Finding the node that a command talks to, and telling what went wrong with the right exit code."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ParamSpec, TypeVar

import msgspec
import typer

from servitwin.config import default_data_folder
from servitwin.domain.error import Fault, InvalidInputError, NotFoundError, ServitwinError

if TYPE_CHECKING:
    from servitwin.client import Client

P = ParamSpec("P")
R = TypeVar("R")

OK, FINDING, WRONG_USE = 0, 1, 2

DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="Data folder of a node on this machine [default: SERVITWIN_DATA or ./servitwin-data]"),
]
ToOption = Annotated[
    str | None,
    typer.Option(
        "--to",
        help="URL of a node; its token is taken from SERVITWIN_TOKEN, its authority from the PEM file SERVITWIN_CA",
        metavar="URL",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON")]


def connect(data: Path | None, to: str | None) -> Client:
    """The node that ``--to`` or ``--data`` names.

    Raises:
        InvalidInputError: both were given.
        UnavailableError: no node runs on the data folder.
    """
    # Not at the top: `serve` runs from this command line too, and its process has no use for an HTTP client.
    from servitwin.client import Client  # noqa: PLC0415
    from servitwin.client.http import authority  # noqa: PLC0415

    if to is not None and data is not None:
        raise InvalidInputError(Fault("cli:two-nodes", "--data and --to name two nodes", "Give one of them"))
    if to is None:
        return Client.local(data or default_data_folder())
    file = os.environ.get("SERVITWIN_CA", "")
    return Client(to, os.environ.get("SERVITWIN_TOKEN", ""), trust=authority(Path(file)) if file else None)


def handled(command: Callable[P, R]) -> Callable[P, R]:
    """Errors of servitwin become text (or JSON) on standard error and exit code 1, or 2 for wrong use."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except ServitwinError as e:
            tell_faults(e, bool(kwargs.get("as_json")))
            wrong = isinstance(e, InvalidInputError | NotFoundError)
            raise typer.Exit(WRONG_USE if wrong else FINDING) from None

    return run


def tell_faults(e: ServitwinError, as_json: bool) -> None:
    """All faults of an error on standard error."""
    if as_json:
        told = {**msgspec.to_builtins(e.fault), "faults": msgspec.to_builtins(e.faults)}
        typer.echo(msgspec.json.encode(told).decode(), err=True)
        return
    for fault in e.faults:
        typer.echo(f"servitwin: {fault}", err=True)


def print_json(answer: object) -> None:
    """One line of JSON on standard output."""
    typer.echo(msgspec.json.encode(answer).decode())


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their longest entry."""
    widths = [max(len(row[k]) for row in [heads, *rows]) for k in range(len(heads))]
    for row in [heads, *rows]:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
