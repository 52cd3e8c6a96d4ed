"""Releases of machine types: bring one in, take it through the gate, get its file, take it back."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from servitwin.cli.node import (
    FINDING,
    DataOption,
    JsonOption,
    ToOption,
    connect,
    handled,
    print_json,
    print_table,
)
from servitwin.cli.planning import object_of
from servitwin.cli.texts import bytes_of
from servitwin.domain.error import Fault, InvalidInputError

_LOOK_EVERY_S = 0.5
_MOST_PACKAGE = 2**31  # bytes
Id = Annotated[str, typer.Argument(help="Release, as mill-500-4.2.0")]


def add(app: typer.Typer) -> None:
    """Add the group ``release``."""
    release = typer.Typer(help="Software and settings of machine types, and the gate they pass.", no_args_is_help=True)
    release.command("add", help="Bring a release in from a JSON file.")(handled(add_release))
    release.command("list", help="List releases, newest first.")(handled(list_releases))
    release.command("show", help="Show a release and what its gate found.")(handled(show_release))
    release.command("gate", help="Try a release against the twin, and wait. Exit code 1 if it is blocked.")(
        handled(gate_release)
    )
    release.command("statement", help="Write the file of a passed release; `servitwin verify` checks it.")(
        handled(write_statement)
    )
    release.command("withdraw", help="Take a release back: no machine is sent it any more.")(handled(withdraw_release))
    app.add_typer(release, name="release")


def add_release(
    file: Annotated[Path, typer.Argument(help="JSON: machine_type, version, controller, settings, title, artefact")],
    package: Annotated[Path | None, typer.Option(help="Update package whose digest the release names")] = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring a release in; with ``--package`` its digest is computed here."""
    body = object_of(file)
    if package is not None:
        body["artefact"] = "sha256:" + hashlib.sha256(bytes_of(package, _MOST_PACKAGE)).hexdigest()
    with connect(data, to) as node:
        found = node.add_release(body)
    if as_json:
        print_json(found)
    else:
        typer.echo(f"{found['id']}: {found['artefact']}; page /app/releases?release={found['id']}")


def list_releases(
    machine_type: Annotated[str, typer.Option(help="Only those of this type")] = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """List releases."""
    with connect(data, to) as node:
        found = node.releases(machine_type)
    if as_json:
        print_json(found)
        return
    rows = [(r["id"], r["state"], r["controller"], r["party"], r["at"], r["title"]) for r in found]
    print_table(("release", "state", "controller", "of", "since", "title"), rows)


def show_release(id: Id, data: DataOption = None, to: ToOption = None, as_json: JsonOption = False) -> None:
    """Show a release."""
    with connect(data, to) as node:
        found = node.release(id)
    if as_json:
        print_json(found)
    else:
        _tell(found)


def gate_release(id: Id, data: DataOption = None, to: ToOption = None, as_json: JsonOption = False) -> None:
    """Take a release through the gate."""
    with connect(data, to) as node:
        gate = node.ask_gate(id)
        while gate["state"] in ("waiting", "running"):
            time.sleep(_LOOK_EVERY_S)
            found = node.release(id)
            gate = next(g for g in found["gates"] if g["id"] == gate["id"])
    if as_json:
        print_json(gate)
    else:
        _tell_gate(gate)
    if gate["state"] != "passed":
        raise typer.Exit(FINDING)


def write_statement(
    id: Id,
    file: Annotated[Path, typer.Argument(help="Where to write it")],
    data: DataOption = None,
    to: ToOption = None,
) -> None:
    """Write the release file."""
    with connect(data, to) as node:
        content = node.release_file(id)
    try:
        file.write_bytes(content)
    except OSError as e:
        fault = Fault("file:unwritable", e.strerror or str(e), "Name another place", file=str(file))
        raise InvalidInputError(fault) from None
    typer.echo(f"{file}: check it with servitwin verify {file}")


def withdraw_release(
    id: Id,
    why: Annotated[str, typer.Option(help="Why, in a sentence")],
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a release back."""
    with connect(data, to) as node:
        found = node.withdraw_release(id, why)
    if as_json:
        print_json(found)
    else:
        typer.echo(f"{id} is withdrawn")


def _tell(release: dict[str, Any]) -> None:
    typer.echo(f"{release['id']} ({release['state']}): {release['title']}")
    typer.echo(f"  package {release['artefact']}, controller {release['controller'] or '-'}, by {release['by']}")
    taken = release["withdrawn"]
    if taken:
        typer.echo(f"  withdrawn {taken['at']} by {taken['by']}: {taken['why']}")
    for gate in release["gates"]:
        _tell_gate(gate)


def _tell_gate(gate: dict[str, Any]) -> None:
    typer.echo(f"gate {gate['id']}: {gate['state']}, asked {gate['at']} by {gate['by']}")
    for step in gate["steps"]:
        typer.echo(f"  {step['name']:<12} {step['outcome']:<10} {step['says']}")
    if gate["fault"]:
        typer.echo(f"  {gate['fault']['message']} [{gate['fault']['code']}]")
    if gate["statement"]:
        typer.echo(f"  statement {gate['statement']}")
