"""Time stamps of an authority on the evidence log: list them, judge one."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Annotated

import typer

from servitwin.cli.node import DataOption, JsonOption, ToOption, connect, print_json, print_table
from servitwin.cli.texts import text_of
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import format_instant
from servitwin.usecases.verify_timestamp import verify_timestamp


def list_timestamps(data: DataOption = None, to: ToOption = None, as_json: JsonOption = False) -> None:
    """List heads that an authority (RFC 3161) has stamped; its answers are not judged here."""
    with connect(data, to) as node:
        found = [node.log_timestamp(size) for size in node.log_timestamps()]
    if as_json:
        print_json(found)
        return
    rows = [(str(s["head"]["head"]["size"]), s["time"], s["authority"]) for s in found]
    print_table(("entries", "the authority says", "authority"), rows)


def check_timestamp(
    roots: Annotated[Path, typer.Option(help="PEM file of the authority's root certificate that you trust")],
    size: Annotated[int | None, typer.Option(min=0, help="Entries of the stamped head; default: the newest")] = None,
    save: Annotated[
        Path | None, typer.Option(help="Write the authority's answer (DER), for `openssl ts -verify`")
    ] = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge a time stamp by the authorities that you trust, and that today's log begins with what was stamped."""
    trusted = text_of(roots).encode()
    with connect(data, to) as node:
        found = verify_timestamp(node, trusted, size)
    if save is not None:
        try:
            save.write_bytes(base64.b64decode(found.stamp.response))
        except OSError as e:
            fault = Fault("file:unwritable", e.strerror or str(e), "Name a file that can be written", file=str(save))
            raise InvalidInputError(fault) from e
    if as_json:
        print_json(found)
        return
    typer.echo(f"log {found.log} had {found.size} entries with root {found.root} at {format_instant(found.time)}")
    typer.echo(f"said by {found.authority}, signed under a root that you trust; today's {found.now} entries begin so")
