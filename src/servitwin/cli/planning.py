"""Commands for what plans are made from, and for planners and trainers at work: registers, jobs."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from servitwin.cli.node import (
    DataOption,
    JsonOption,
    ToOption,
    connect,
    handled,
    print_json,
    print_table,
)
from servitwin.cli.texts import media_of, text_of
from servitwin.cli.waited_job import show, tell_plans, waited_for
from servitwin.domain.error import Fault, InvalidInputError

PartyOption = Annotated[str, typer.Option(help="Company that it belongs to; default: yours")]
Kind = Annotated[str, typer.Argument(help="Name of the register, as orders")]


def add(app: typer.Typer) -> None:
    """Add the groups ``registers`` and ``jobs``."""
    registers = typer.Typer(help="Orders, routings, parts and whatever else plans are made from.", no_args_is_help=True)
    registers.command("list", help="List registers, or the entries of one.")(handled(list_entries))
    registers.command("put", help="Write an entry from a JSON file.")(handled(put_entry))
    registers.command("remove", help="End an entry; its revisions stay.")(handled(remove_entry))
    registers.command("import", help="Write many entries from a .json or .csv file, all or none.")(
        handled(import_entries)
    )
    registers.command("export", help="Write all entries to a .json or .csv file, or as JSON to standard output.")(
        handled(export_entries)
    )
    app.add_typer(registers, name="registers")
    jobs = typer.Typer(help="Planners and trainers at work.", no_args_is_help=True)
    jobs.command("ask", help="Let a planner or trainer work on a JSON file, and wait for it. Exit code 1 if it fails.")(
        handled(ask_job)
    )
    jobs.command("list", help="List jobs, newest first.")(handled(list_jobs))
    jobs.command("show", help="Show a job with its best plan.")(handled(show_job))
    jobs.command("cancel", help="End a job early; its best plan stays.")(handled(cancel_job))
    jobs.command("artefacts", help="List what a trainer learnt.")(handled(list_artefacts))
    jobs.command("promote", help="Use what a trainer learnt from now on.")(handled(promote_artefact))
    app.add_typer(jobs, name="jobs")


def list_entries(
    kind: Annotated[str, typer.Argument(help="Name of a register; none: all registers")] = "",
    party: PartyOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Registers, or the entries of one."""
    with connect(data, to) as node:
        found = node.register_entries(kind, party) if kind else node.registers()
    if as_json:
        print_json(found)
    elif kind:
        rows = [(e["party"], e["id"], str(e["revision"]), e["at"], _short(e["body"])) for e in found]
        print_table(("party", "id", "revision", "written", "says"), rows)
    else:
        print_table(("register", "entries", "title"), [(k["name"], str(k["entries"]), k["title"]) for k in found])


def put_entry(
    kind: Kind,
    id: Annotated[str, typer.Argument(help="Id of the entry")],
    file: Annotated[Path, typer.Argument(help="JSON object")],
    party: PartyOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write an entry."""
    body = object_of(file)
    with connect(data, to) as node:
        found = node.put_register_entry(kind, id, body, party)
    if as_json:
        print_json(found)
    else:
        typer.echo(f"{kind}/{id}: revision {found['revision']}")


def remove_entry(
    kind: Kind,
    id: Annotated[str, typer.Argument(help="Id of the entry")],
    party: PartyOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """End an entry."""
    with connect(data, to) as node:
        node.remove_register_entry(kind, id, party)
    if as_json:
        print_json({"removed": f"{kind}/{id}"})
    else:
        typer.echo(f"{kind}/{id} is removed; its revisions stay")


def import_entries(
    kind: Kind,
    file: Annotated[Path, typer.Argument(help="List of objects with an id (.json), or a table (.csv)")],
    party: PartyOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write many entries: all of them, or none and every fault."""
    media = media_of(file, "Entries are")
    content = text_of(file).encode()
    with connect(data, to) as node:
        found = node.import_register(kind, content, media, party)
    if as_json:
        print_json(found)
    else:
        typer.echo(f"{found['kept']} entries of {kind} are kept")


def export_entries(
    kind: Kind,
    file: Annotated[Path | None, typer.Argument(help=".json or .csv to write; none: standard output")] = None,
    party: PartyOption = "",
    data: DataOption = None,
    to: ToOption = None,
) -> None:
    """All entries, in the form that ``import`` reads."""
    media = "application/json" if file is None else media_of(file, "Entries are")
    with connect(data, to) as node:
        rows = [{"id": e["id"], **e["body"]} for e in node.register_entries(kind, party)]
    if file is None:
        sys.stdout.buffer.write(msgspec.json.encode(rows) + b"\n")
        return
    if media == "application/json":
        file.write_bytes(msgspec.json.format(msgspec.json.encode(rows)) + b"\n")
    else:
        columns = list(dict.fromkeys(c for row in rows for c in row))
        with file.open("w", encoding="utf-8", newline="") as opened:
            table = csv.DictWriter(opened, columns, lineterminator="\n")
            table.writeheader()
            table.writerows({c: _cell(v) for c, v in row.items()} for row in rows)
    typer.echo(f"{len(rows)} entries in {file}", err=True)


def ask_job(
    service: Annotated[str, typer.Argument(help="Name of an installed planner or trainer")],
    file: Annotated[Path, typer.Argument(help="Problem or data set (JSON object)")],
    seconds: Annotated[float, typer.Option(min=0.1, max=3600, help="Time that a planner may use")] = 30.0,
    seed: Annotated[int, typer.Option(min=0, help="Randomness of the service")] = 0,
    about: Annotated[str, typer.Option(help="By which jobs are found again")] = "",
    wait: Annotated[bool, typer.Option(help="Wait until it is done")] = True,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a planner or trainer work; each better plan is told as it comes."""
    problem = object_of(file)
    with connect(data, to) as node:
        job = node.ask_job(service, problem, seconds, seed, about)
        if wait:
            job = waited_for(node, job, (lambda _: None) if as_json else tell_plans())
    show(job, as_json)


def list_jobs(
    service: Annotated[str, typer.Option(help="Of this service alone")] = "",
    about: Annotated[str, typer.Option(help="About this alone")] = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Jobs, newest first."""
    with connect(data, to) as node:
        found = node.jobs(service, about)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            j["id"],
            j["service"],
            j["state"],
            j["at"],
            *("-" if j[n] is None else f"{j[n]:g}" for n in ("value", "bound")),
        )
        for j in found
    ]
    print_table(("job", "service", "state", "asked", "value", "bound"), rows)


def show_job(
    id: Annotated[str, typer.Argument(help="Id of the job")],
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """A job with its best plan."""
    with connect(data, to) as node:
        show(node.job(id), as_json)


def cancel_job(
    id: Annotated[str, typer.Argument(help="Id of the job")],
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a job early."""
    with connect(data, to) as node:
        found = node.cancel_job(id)
    if as_json:
        print_json(found)
    else:
        typer.echo(f"{found['service']} is asked to end")


def list_artefacts(
    trainer: Annotated[str, typer.Argument(help="Name of the trainer")],
    party: PartyOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a trainer learnt, newest first."""
    with connect(data, to) as node:
        found = node.artefacts(trainer, party)
    if as_json:
        print_json(found)
        return
    rows = [
        (a["digest"], a["state"], a["made"], "-" if a["score"] is None else f"{a['score']:g}", a["why"]) for a in found
    ]
    print_table(("artefact", "state", "made", "score", "why"), rows)


def promote_artefact(
    trainer: Annotated[str, typer.Argument(help="Name of the trainer")],
    digest: Annotated[str, typer.Argument(help="Which, as `artefacts` lists it")],
    why: Annotated[str, typer.Option(help="The reason, in a sentence")],
    party: PartyOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Use it from now on instead of the one in use."""
    with connect(data, to) as node:
        found = node.promote_artefact(trainer, digest, why, party)
    if as_json:
        print_json(found)
    else:
        typer.echo(f"{digest} is in use")


def object_of(file: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        InvalidInputError: ``file:not-json``, and what :func:`servitwin.cli.texts.text_of` finds.
    """
    try:
        return msgspec.json.decode(text_of(file), type=dict[str, Any])
    except msgspec.DecodeError as e:
        raise InvalidInputError(Fault("file:not-json", str(e), "Write one JSON object", file=str(file))) from e


def _short(body: dict[str, Any]) -> str:
    text = msgspec.json.encode(body).decode()
    return text if len(text) <= 80 else text[:79] + "…"


def _cell(value: object) -> object:
    return msgspec.json.encode(value).decode() if isinstance(value, list | dict) else value
