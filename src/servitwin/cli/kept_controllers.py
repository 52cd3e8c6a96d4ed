"""Controllers of a node: bring one in, list them, replay what a check found in the simulator."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from servitwin.cli.node import FINDING, DataOption, JsonOption, ToOption, connect, print_json, print_table
from servitwin.cli.texts import text_of
from servitwin.domain.error import Fault, InvalidInputError

_LOOK_EVERY_S = 0.5


def add_controller(
    file: Annotated[Path, typer.Argument(help="Controller file (YAML), or a W3C SCXML document")],
    machine_type: Annotated[str, typer.Option(help="Name of the type whose machines have it")] = "",
    twin: Annotated[str, typer.Option(help="Id of the twin that has it")] = "",
    side: Annotated[Path | None, typer.Option("--with", help="Ranges and properties of an SCXML document")] = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring a version of a controller in, for a machine type or for a twin."""
    text, beside = text_of(file), None if side is None else text_of(side)
    with connect(data, to) as node:
        found = node.add_controller(text, beside, machine_type=machine_type, twin=twin)
    if as_json:
        print_json(found)
    else:
        typer.echo(
            f"{found['reference']}: {found['properties']} properties; page /app/controllers/{found['reference']}"
        )


def list_controllers(data: DataOption = None, to: ToOption = None, as_json: JsonOption = False) -> None:
    """List controllers in all versions, with what their last checks found."""
    with connect(data, to) as node:
        found = node.controllers()
    if as_json:
        print_json(found)
        return
    rows = [
        (
            c["name"], str(c["version"]), c["twin"] or c["machine_type"], str(c["properties"]),
            *("-" if c[n] is None else str(c[n]) for n in ("proven", "violated", "not_settled")), c["title"],
        )
        for c in found
    ]  # fmt: skip
    print_table(("name", "version", "of", "properties", "proven", "violated", "not settled", "title"), rows)


def replay_controller(
    reference: Annotated[str, typer.Argument(help="Version whose model is run, as mill-door@1")],
    property: Annotated[str, typer.Argument(help="Property that a check found violated")],
    inputs_of: Annotated[int | None, typer.Option(min=0, help="Version that the run was found for, if another")] = None,
    pace: Annotated[float, typer.Option(min=0.2, max=50, help="Steps each second")] = 2.0,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Drive the inputs of a counterexample into a simulated machine. Exit code 1 if it breaks the property.

    The simulated machine runs the controller's model and speaks to the broker; it is a twin of its own.
    """
    with connect(data, to) as node:
        found = node.replay_controller(reference, property, inputs_of=inputs_of, pace=pace)
        if not as_json:
            typer.echo(
                f"{found['positions']} positions at {pace:g} steps a second; watch it: /app/machines/{found['twin']}"
            )
        while found["state"] in ("waiting", "running"):
            time.sleep(_LOOK_EVERY_S)
            found = node.controller_replay(found["id"])
    if as_json:
        print_json(found)
    elif found["state"] == "done":
        typer.echo(found["says"])
    if found["state"] == "failed":
        fault = found["fault"] or {}
        raise InvalidInputError(Fault(fault["code"], fault["message"], fault["hint"]))
    if found["broken_at"] is not None:
        raise typer.Exit(FINDING)
