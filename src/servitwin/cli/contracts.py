"""Contracts: list, sign, status, claims, settlements; ``verify`` needs no node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from servitwin.cli.acceptance import accept, acceptance
from servitwin.cli.node import FINDING, DataOption, JsonOption, ToOption, connect, handled, print_json, print_table
from servitwin.cli.offers import contract_file, evaluate
from servitwin.cli.proof_files import is_proof_file, verify_proof_file
from servitwin.cli.results import profit, renewals, savings
from servitwin.cli.starters import Starters
from servitwin.domain.error import Fault, InvalidInputError

ContractArgument = Annotated[str, typer.Argument(help="Id of the contract")]
PeriodArgument = Annotated[str, typer.Argument(help="Settlement period, like 2026-03 or 2026-Q1")]


def add(app: typer.Typer, starters: Starters) -> None:
    """Add the commands."""
    group = typer.Typer(help="Contracts, their status and their settlements.", no_args_is_help=True)
    for name, command in (
        ("list", list_contracts),
        ("add", add_contract),
        ("evaluate", evaluate),
        ("file", contract_file),
        ("sign", sign),
        ("withdraw", withdraw),
        ("status", status),
        ("trial", trial),
        ("acceptance", acceptance),
        ("accept", accept),
        ("exclusions", exclusions),
        ("claim", claim),
        ("decide", decide),
        ("settle", settle),
        ("save", save),
        ("profit", profit),
        ("savings", savings),
        ("renewals", renewals),
    ):
        group.command(name)(handled(command))
    app.add_typer(group, name="contracts")
    if starters.verify is None:
        return
    check = starters.verify

    def verify(
        file: Annotated[Path, typer.Argument(help="A proof file or a settlement (JSON)")],
        observations: Annotated[Path | None, typer.Option(help="Observations: CSV, Parquet or Arrow export")] = None,
        keys: Annotated[Path | None, typer.Option(help="Public keys (JSON of GET /parties/{party}/keys)")] = None,
        head: Annotated[Path | None, typer.Option(help="Proof: heads that your own node co-signed (JSON)")] = None,
        witness: Annotated[Path | None, typer.Option(help="Proof: folder with your own copy of the log")] = None,
        timestamp_roots: Annotated[
            Path | None, typer.Option(help="Proof: root certificates (PEM) of time-stamp authorities that you trust")
        ] = None,
        as_json: JsonOption = False,
    ) -> None:
        """Check a proof file (log, observations, formula) or a settlement (every cent), without a server."""
        if is_proof_file(file):
            if observations is not None:
                fault = Fault(
                    "option:not-for-proofs", "A proof file carries its observations", "Leave out --observations"
                )
                raise InvalidInputError(fault)
            verify_proof_file(file, keys, head, witness, timestamp_roots, as_json)
            return
        if head is not None or witness is not None or timestamp_roots is not None:
            hint = "--head, --witness and --timestamp-roots belong to proof files"
            fault = Fault("option:only-for-proofs", "This is no proof file", hint)
            raise InvalidInputError(fault)
        found = check(file, observations, keys)
        if as_json:
            print_json(found)
        else:
            typer.echo(f"{'VERIFIED' if found.ok else 'NOT VERIFIED'} {found.settlement}".rstrip())
            for text in found.proven:
                typer.echo(f"  shown: {text}")
            for text in found.not_proven:
                typer.echo(f"  not shown: {text}")
            for fault in found.faults:
                typer.echo(f"  refused: {fault}")
        if not found.ok:
            raise typer.Exit(FINDING)

    app.command("verify")(handled(verify))


def list_contracts(data: DataOption = None, to: ToOption = None, as_json: JsonOption = False) -> None:
    """List contracts of your party."""
    with connect(data, to) as node:
        found = node.contracts()
    if as_json:
        print_json(found)
        return
    rows = [
        (c["id"], str(c["version"]), c["life"], f"{c['fee']} {c['currency']}/{c['per']}", c["level"] or "-", c["title"])
        for c in found
    ]
    print_table(("id", "version", "life", "fee", "level %", "title"), rows)


def add_contract(
    file: Annotated[Path, typer.Argument(help="Contract file (YAML)")],
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring a contract file in; until both parties sign it runs as a trial."""
    with connect(data, to) as node:
        found = node.add_contract(file.read_bytes(), str(file))
    _tell(found, as_json, f"{found['id']}@{found['version']} is a {found['life']}, digest {found['digest']}")


def sign(
    contract: ContractArgument,
    version: Annotated[int | None, typer.Option(help="Version to sign; else the newest")] = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sign for your party."""
    with connect(data, to) as node:
        found = node.sign_contract(contract, version)
    _tell(found, as_json, f"{found['id']}@{found['version']} is {found['life']}, signed by {found['signed_by']}")


def withdraw(
    contract: ContractArgument,
    why: Annotated[str, typer.Option(help="The reason; the other party reads it")] = "",
    version: Annotated[int | None, typer.Option(help="Version to end; else the newest")] = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take an offer back that your party signed, or decline one that the other party signed."""
    with connect(data, to) as node:
        found = node.withdraw_offer(contract, why, version)
    _tell(found, as_json, f"{found['id']}@{found['version']} is {found['life']}")


def status(
    contract: ContractArgument,
    period: Annotated[str | None, typer.Option(help="Period; else the one that runs")] = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Where a period stands, to the second."""
    with connect(data, to) as node:
        found = node.contract_status(contract, period=period)
    if as_json:
        print_json(found)
        return
    typer.echo(f"{contract} {found.period} ({found.life}) as known at {found.known_at}")
    typer.echo(
        f"fee {found.fee}, credit {found.credit}, disputed {found.disputed}, payable {found.payable} {found.currency}"
    )
    rows = [
        (m["twin"], m["rounded_percent"] or "-", m["seconds"]["unavailable"], m["seconds"]["excluded"], m["credit"])
        for m in found.machines
    ]
    print_table(("machine", "value %", "unavailable s", "excluded s", "credit"), rows)
    for note in found.notes:
        typer.echo(note)


def trial(
    contract: ContractArgument,
    from_: Annotated[str | None, typer.Option("--from", help="First day; else twelve months ago")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Day after the last; else today")] = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """What the contract would have been worth over past months, without money."""
    with connect(data, to) as node:
        found = node.contract_trial(contract, from_=from_, to=until)
    if as_json:
        print_json(found)
        return
    rows = [
        (p["period"], p["fee"], p["credit"], p["bonus"], " ".join(m["rounded_percent"] or "-" for m in p["machines"]))
        for p in found["periods"]
    ]
    print_table(("period", "fee", "credit", "bonus", "values %"), rows)
    typer.echo(f"fee {found['fee']}, credit {found['credit']}, bonus {found['bonus']} {found['currency']}")


def exclusions(
    contract: ContractArgument, data: DataOption = None, to: ToOption = None, as_json: JsonOption = False
) -> None:
    """Claims under a contract."""
    with connect(data, to) as node:
        found = node.exclusions(contract)
    if as_json:
        print_json(found)
        return
    rows = [(e["id"], e["twin"], e["kind"], e["from"], e["to"], e["status"], e["waiting_for"] or "-") for e in found]
    print_table(("id", "machine", "ground", "from", "to", "status", "waits for"), rows)


def claim(
    contract: ContractArgument,
    twin: Annotated[str, typer.Argument(help="Id of the machine")],
    kind: Annotated[str, typer.Argument(help="Ground, like access_refused")],
    start: Annotated[str, typer.Argument(help="Begin, RFC 3339")],
    end: Annotated[str, typer.Argument(help="End (exclusive), RFC 3339")],
    text: Annotated[str, typer.Option(help="Why")] = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Claim for your party that a stretch should not count."""
    with connect(data, to) as node:
        found = node.claim(contract, {"twin": twin, "kind": kind, "from": start, "to": end, "text": text})
    _tell(found, as_json, f"{found['id']} is {found['status']}, deemed at {found['deemed_at']}")


def decide(
    contract: ContractArgument,
    exclusion: Annotated[str, typer.Argument(help="Id of the claim")],
    answer: Annotated[str, typer.Argument(help="accept, accept_part, reject, withdraw, dispute or settle")],
    part: Annotated[list[str] | None, typer.Option(help="Accepted part FROM/TO; may be given again")] = None,
    text: Annotated[str, typer.Option(help="Why")] = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a step of a claim for your party."""
    parts = [_stretch(one) for one in part or ()]
    with connect(data, to) as node:
        found = node.decide(contract, exclusion, answer, parts, text)
    _tell(found, as_json, f"{found['id']} is {found['status']}")


def _stretch(text: str) -> dict[str, str]:
    start, slash, end = text.partition("/")
    if not (start and slash and end):
        raise InvalidInputError(
            Fault("cli:part", f"{text!r} is no FROM/TO", "Write it like 2026-03-10T06:00:00Z/2026-03-10T12:00:00Z")
        )
    return {"from": start, "to": end}


def settle(
    contract: ContractArgument,
    period: PeriodArgument,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Settle a period that has ended."""
    with connect(data, to) as node:
        found = node.settle(contract, period)
    keys = ("contract", "revision", "fee", "credit", "bonus", "disputed", "payable", "currency", "digest")
    short = {k: found[k] for k in keys}
    _tell(
        short, as_json, f"credit {found['credit']} {found['currency']}, revision {found['revision']}, {found['digest']}"
    )


def save(
    contract: ContractArgument,
    period: PeriodArgument,
    folder: Annotated[Path, typer.Argument(help="Folder for settlement, observations and keys")],
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Save all that ``servitwin verify`` needs: settlement, observations and public keys."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{contract}-{period}"
    with connect(data, to) as node:
        content = node.settlement(contract, period)
        (folder / f"{stem}.json").write_bytes(content)
        with (folder / f"{stem}-observations.parquet").open("wb") as file:
            for piece in node.settlement_observations(contract, period):
                file.write(piece)
        terms = node.contract(contract)
        keys = [k for party in (terms["provider"], terms["customer"]) for k in node.party_keys(party)]
        (folder / f"{stem}-keys.json").write_text(json.dumps(keys), "utf-8")
    names = [f"{stem}.json", f"{stem}-observations.parquet", f"{stem}-keys.json"]
    _tell({"folder": str(folder), "files": names}, as_json, f"{', '.join(names)} in {folder}")


def _tell(found: Any, as_json: bool, text: str) -> None:
    if as_json:
        print_json(found)
    else:
        typer.echo(text)
