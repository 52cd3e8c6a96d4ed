"""History out and quarantine: export, quarantine."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from servitwin.cli.figures import FromOption, UntilOption
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


class Form(StrEnum):
    """Forms of an export."""

    csv = "csv"
    parquet = "parquet"
    arrow = "arrow"


def add(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("export")(handled(export))
    quarantine = typer.Typer(help="What came in and could not be understood.", no_args_is_help=True)
    quarantine.command("list")(handled(quarantine_list))
    quarantine.command("replay")(handled(quarantine_replay))
    app.add_typer(quarantine, name="quarantine")


def export(
    twins: Annotated[list[str], typer.Argument(help="Ids of twins")],
    signal: Annotated[list[str] | None, typer.Option(help="Only this signal; may be given again")] = None,
    from_: FromOption = None,
    until: UntilOption = None,
    form: Annotated[Form, typer.Option(help="Open format")] = Form.csv,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write; else standard output")] = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write observations with units and metadata in an open format."""
    size = 0
    with connect(data, to) as node:
        pieces = node.export(twins, signals=signal or (), from_=from_, to=until, form=form.value)
        if output is None:
            for piece in pieces:
                sys.stdout.buffer.write(piece)
            return
        part = output.with_name(output.name + ".part")
        with part.open("wb") as file:
            for piece in pieces:
                size += file.write(piece)
        part.replace(output)
    if as_json:
        print_json({"file": str(output), "bytes": size})
    else:
        typer.echo(f"{output}: {size} bytes")


def quarantine_list(
    code: Annotated[str | None, typer.Option(help="Only this code")] = None,
    twin: Annotated[str | None, typer.Option(help="Only this twin")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many entries")] = 50,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """List entries, newest first, and count all by code."""
    with connect(data, to) as node:
        counts = node.quarantine_counts(twin=twin)
        entries = [e for _, e in zip(range(limit), node.quarantine(code=code, twin=twin), strict=False)]
    if as_json:
        print_json({"counts": counts, "items": entries})
        return
    print_table(
        ("id", "received", "twin", "code", "message"), [(e.id, e.received, e.twin, e.code, e.message) for e in entries]
    )
    for name, number in sorted(counts.items()):
        typer.echo(f"{number} x {name}")


def quarantine_replay(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids of entries")] = None,
    code: Annotated[str | None, typer.Option(help="All entries of this code")] = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send entries again after mending the twin or its type."""
    with connect(data, to) as node:
        answer = node.replay_quarantine(ids=ids, code=code)
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"{answer.replayed} sent again, {answer.repeated} were sent before, {len(answer.failed)} failed")
    if answer.failed:
        raise typer.Exit(FINDING)
