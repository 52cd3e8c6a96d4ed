"""``command``: ask a machine to do something and watch what becomes of it."""

from __future__ import annotations

import time
from typing import Annotated

import msgspec
import typer

from servitwin.cli.node import FINDING, DataOption, JsonOption, ToOption, connect, handled, print_json
from servitwin.domain.error import Fault, InvalidInputError

_OPEN = ("sent", "acknowledged")
_FAILED = ("refused", "rejected", "timed_out", "without_effect")


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command("command")(handled(command))


def command(
    twin: Annotated[str, typer.Argument(help="Id of the twin")],
    name: Annotated[str, typer.Argument(help="Name of the command")],
    parameters: Annotated[list[str] | None, typer.Argument(help="Parameters as name=value")] = None,
    key: Annotated[str, typer.Option(help="The same key is one command, however often it is sent")] = "",
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for the outcome")] = 0.0,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send a command; exit code 1 if it is refused, rejected, times out or has no effect."""
    values = dict(_parameter(p) for p in parameters or ())
    until = time.monotonic() + wait
    with connect(data, to) as node:
        answer = node.command(twin, name, values, key)
        while answer.status in _OPEN and time.monotonic() < until:
            time.sleep(0.1)
            answer = node.command_status(answer.id)
    if as_json:
        print_json(answer)
    else:
        typer.echo(
            f"{answer.name} on {answer.twin} is {answer.status} {answer.reason_text}".rstrip() + f" ({answer.id})"
        )
    if answer.status in _FAILED:
        raise typer.Exit(FINDING)


def _parameter(text: str) -> tuple[str, float | str | bool]:
    """``speed=1200`` is a number, ``on=true`` a flag, anything else text."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise InvalidInputError(Fault("cli:parameter", f"{text!r} is no name=value", "Write it like speed=1200"))
    try:
        read = msgspec.json.decode(value, type=float | bool)
    except msgspec.DecodeError:
        return name, value
    return name, read
