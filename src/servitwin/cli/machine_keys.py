"""Keys with which machines sign what they send."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from servitwin.cli.figures import TwinArgument
from servitwin.cli.node import DataOption, JsonOption, ToOption, connect, handled, print_json, print_table
from servitwin.domain.error import Fault, InvalidInputError

ReplacesOption = Annotated[str, typer.Option(help="Id of the key that counts no more from then on")]
SinceOption = Annotated[str | None, typer.Option(help="From when on, RFC 3339; default: in ten seconds")]


def add(keys: typer.Typer) -> None:
    """Add the commands to the group ``keys``."""
    group = typer.Typer(help="Keys with which machines sign what they send.", no_args_is_help=True)
    group.command("list")(handled(list_machine_keys))
    group.command("add")(handled(register))
    group.command("revoke")(handled(revoke))
    keys.add_typer(group, name="machine")


def list_machine_keys(
    twin: TwinArgument, data: DataOption = None, to: ToOption = None, as_json: JsonOption = False
) -> None:
    """List the keys of a machine, and whether it has to sign."""
    with connect(data, to) as node:
        found = node.machine_keys(twin)
    if as_json:
        print_json(found)
        return
    rows = [(k["id"], k["name"], k["since"], k["revoked"] or "", k["reason"]) for k in found["items"]]
    print_table(("key", "held by", "since", "revoked", "reason"), rows)
    typer.echo("what it sends has to be signed" if found["demanded"] else "what it sends need not be signed")


def register(
    twin: TwinArgument,
    public_key: Annotated[str, typer.Argument(help="Public key (Ed25519, base64), or a file that holds it")],
    name: Annotated[str, typer.Option(help="What holds the private key, such as the gateway")],
    since: SinceOption = None,
    replaces: ReplacesOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register a key of a machine; from then on it is heard only if it signs."""
    path = Path(public_key)
    try:
        text = path.read_text("ascii").strip() if path.is_file() else public_key
    except (OSError, UnicodeDecodeError) as e:
        raise InvalidInputError(Fault("machine-key:malformed", f"{path} cannot be read: {e}", "Give the key")) from None
    with connect(data, to) as node:
        found = node.register_machine_key(twin, text, name, since, replaces)
    if as_json:
        print_json(found)
    else:
        typer.echo(f"{twin} has to sign with key {found['id']} from {found['since']} on")


def revoke(
    twin: TwinArgument,
    key: Annotated[str, typer.Argument(help="Id of the key")],
    reason: Annotated[str, typer.Option(help="Why")],
    from_: Annotated[
        str | None, typer.Option("--from", help="From when on it counts for nothing; default: now")
    ] = None,
    unsigned: Annotated[
        bool, typer.Option("--unsigned", help="Hear the machine unsigned from then on, if no other key demands more")
    ] = False,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Revoke a key; without another key the machine is not heard any more."""
    with connect(data, to) as node:
        found = node.revoke_machine_key(twin, key, reason, from_, unsigned=unsigned)
    if as_json:
        print_json(found)
    else:
        typer.echo(f"{key} of {twin} counts for nothing from {found['revoked']} on")
