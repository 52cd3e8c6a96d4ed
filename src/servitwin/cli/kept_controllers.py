"""Controllers of a node: bring one in, list them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from servitwin.cli.node import DataOption, JsonOption, ToOption, connect, print_json, print_table
from servitwin.cli.texts import text_of


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
