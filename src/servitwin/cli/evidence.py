"""The evidence log: head, entries, witness, check; and keys of parties."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from servitwin.cli import machine_keys
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
from servitwin.cli.starters import Starters
from servitwin.cli.timestamps import check_timestamp, list_timestamps
from servitwin.domain.error import ServitwinError
from servitwin.domain.instant import DAY
from servitwin.usecases.check_log import Checked

PartyArgument = Annotated[str, typer.Argument(help="Id of the party")]


def add(app: typer.Typer, starters: Starters) -> None:
    """Add the commands."""
    log = typer.Typer(help="The evidence log of a node: what was said and bound, and that it only grows.",
                      no_args_is_help=True)  # fmt: skip
    log.command("head")(handled(head))
    log.command("entries")(handled(entries))
    log.command("timestamps")(handled(list_timestamps))
    log.command("verify-timestamp")(handled(check_timestamp))
    log.command("watched")(handled(watched))
    if starters.witness is not None:
        log.command("witness", help="Follow another node's log, keep a copy of it, and co-sign its heads.")(
            _witness(starters)
        )
    if starters.check_folder is not None:
        log.command("check", help="Recompute every segment from history; names each that is not as it was bound.")(
            _check(starters)
        )
    app.add_typer(log, name="log")
    keys = typer.Typer(help="Keys with which parties and machines sign.", no_args_is_help=True)
    keys.command("list")(handled(list_keys))
    keys.command("rotate")(handled(rotate))
    keys.command("revoke")(handled(revoke))
    machine_keys.add(keys)
    app.add_typer(keys, name="keys")


def head(data: DataOption = None, to: ToOption = None, as_json: JsonOption = False) -> None:
    """Show the newest tree head, who co-signed, and forks; exit code 1 if there is a fork."""
    with connect(data, to) as node:
        found = node.log_head()
    if as_json:
        print_json(found)
    else:
        newest = found["head"]["head"]
        typer.echo(f"log {newest['log']} of {found['owner']}: {newest['size']} entries, root {newest['root']}")
        for one in found["cosignatures"]:
            size, said = one["head"]["head"]["size"], one["cosignature"]
            typer.echo(f"co-signed by {said['party']} at {size} entries, {said['seen']}")
        for fork in found["forks"]:
            _tell_fork(fork)
    if found["forks"]:
        raise typer.Exit(FINDING)


def watched(data: DataOption = None, to: ToOption = None, as_json: JsonOption = False) -> None:
    """Show the logs of other nodes that this node co-signs; exit code 1 if one was rewritten."""
    with connect(data, to) as node:
        found = node.watched_logs()
    if as_json:
        print_json(found)
    for one in () if as_json else found:
        head = one["head"]["head"] if one["head"] else None
        said = f"log {head['log']}: {head['size']} entries co-signed {one['seen']}" if head else "nothing co-signed yet"
        typer.echo(f"{one['url']}: {said}")
        for fork in one["forks"]:
            _tell_fork(fork)
    if any(one["forks"] for one in found):
        raise typer.Exit(FINDING)


def _tell_fork(fork: dict[str, Any]) -> None:
    typer.echo(f"FORK noticed {fork['noticed']}: {fork['why']}")
    for word, signed in (("first", fork["first"]), ("then", fork["second"])):
        head = signed["head"]
        typer.echo(f"  {word}: {head['size']} entries, root {head['root']}, made {head['made']}")
        typer.echo(f"         signed by key {signed['key']}: {signed['signature']}")
    typer.echo("  Its owner has signed two logs. Keep both heads, rely on nothing after the first, and ask the owner.")


def entries(
    from_: Annotated[int, typer.Option("--from", min=0, help="First entry")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many")] = 50,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """List entries; statements that are not the caller's are shown by their hash."""
    with connect(data, to) as node:
        items = node.log_entries(from_, limit)
    if as_json:
        print_json(items)
        return
    rows = []
    for item in items:
        if not item.get("entry"):
            rows.append((str(item["index"]), "hidden", "", "", str(item["leaf"])[:16]))
            continue
        said = msgspec.json.decode(item["entry"])["content"]
        about = " ".join(f"{k} {v}" for k, v in sorted(said["subject"].items()))
        if said["kind"] == "segment":
            about = "shard {shard}, {first} to {last}: {count} rows".format(**said["body"])
        rows.append((str(item["index"]), said["kind"], said["by"], said["made"], about))
    print_table(("index", "kind", "by", "made", "about"), rows)


def _witness(starters: Starters) -> Callable[..., None]:
    def witness(
        data: Annotated[Path, typer.Option("--data", help="Folder for the copy of the log and the witness's key")],
        party: Annotated[str, typer.Option(help="Party that co-signs")],
        to: ToOption = None,
        every: Annotated[float, typer.Option(min=0, help="Seconds between two looks; 0: look once")] = 0.0,
        as_json: JsonOption = False,
    ) -> None:
        assert starters.witness is not None
        while True:
            try:
                with connect(None, to) as node:
                    done = starters.witness(data, party, node)
            except ServitwinError as e:
                if not every or any(f.code == "log:forked" for f in e.faults):
                    raise
                typer.echo(f"servitwin: {e}", err=True)
            else:
                if as_json:
                    print_json(done)
                else:
                    said = "co-signed" if done.cosigned else f"not co-signed: {done.behind} entries are not shown"
                    typer.echo(f"log {done.log}: {done.size} entries, {done.fresh} new, {said}")
            if not every:
                return
            time.sleep(every)

    return handled(witness)


def _check(starters: Starters) -> Callable[..., None]:
    def check(
        data: DataOption = None,
        to: ToOption = None,
        witness: Annotated[
            Path | None, typer.Option(help="Folder of a witness: what it co-signed is believed, not the node")
        ] = None,
        keep_days: Annotated[
            int, typer.Option(min=0, help="Days for which the node keeps observations; 0: for ever")
        ] = 0,
        as_json: JsonOption = False,
    ) -> None:
        assert starters.check_folder is not None
        assert starters.check_node is not None

        def say(text: str) -> None:
            typer.echo(text, err=True)

        if to is None and data is not None:
            kept_since = time.time_ns() - keep_days * DAY if keep_days else None
            found = starters.check_folder(data, witness, kept_since, say)
        else:
            with connect(data, to) as node:
                found = starters.check_node(node, witness, say)
        if as_json:
            print_json(found)
        else:
            _tell(found)
        if not found.passed:
            raise typer.Exit(FINDING)

    return handled(check)


def _tell(found: Checked) -> None:
    for d in found.differences:
        place = f"entry {d.index}: " if d.index >= 0 else ""
        if d.shard >= 0:
            place += f"segment of shard {d.shard}, sequences {d.first} to {d.last}, from {d.from_} to {d.to}: "
        twins = f" (twins {', '.join(d.twins)})" if d.twins else ""
        typer.echo(f"{d.what}: {place}{d.message}{twins}")
    seen = f", {found.witnessed} of them co-signed by the witness" if found.witnessed else ", no witness was asked"
    hidden = f"; {found.hidden} statements are not yours to read and were checked by their hash" if found.hidden else ""
    typer.echo(
        f"log {found.log}: {found.size} entries{seen}; {found.segments} segments with {found.rows} rows, "
        f"{found.late} of them bound late{hidden}"
    )
    typer.echo("all is as it was bound" if found.passed else f"REFUSED: {len(found.differences)} differences")


def list_keys(party: PartyArgument, data: DataOption = None, to: ToOption = None, as_json: JsonOption = False) -> None:
    """List public keys of a party."""
    with connect(data, to) as node:
        found = node.party_keys(party)
    if as_json:
        print_json(found)
        return
    print_table(("key", "since", "revoked"), [(k["id"], k["since"], k.get("revoked") or "") for k in found])


def rotate(party: PartyArgument, data: DataOption = None, to: ToOption = None, as_json: JsonOption = False) -> None:
    """Give a party a new key; what it signed before stays good."""
    with connect(data, to) as node:
        found = node.rotate_key(party)
    if as_json:
        print_json(found)
    else:
        typer.echo(f"{party} signs with key {found['id']} from {found['since']} on")


def revoke(
    party: PartyArgument,
    key: Annotated[str, typer.Argument(help="Id of the key")],
    reason: Annotated[str, typer.Option(help="Why")],
    from_: Annotated[
        str | None, typer.Option("--from", help="From when on it counts for nothing; default: now")
    ] = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Revoke a key; a present one is replaced."""
    with connect(data, to) as node:
        found = node.revoke_key(party, key, reason, from_)
    if as_json:
        print_json(found)
    else:
        typer.echo(f"{key} is revoked; {party} signs with key {found['id']}")
