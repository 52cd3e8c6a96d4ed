"""``trace``: parts of a node, their lives, recalls, control charts; EPCIS 2.0 in and out."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from servitwin.cli.node import FINDING, DataOption, JsonOption, ToOption, connect, handled, print_json, print_table
from servitwin.cli.starters import Starters
from servitwin.cli.texts import text_of
from servitwin.domain.error import Fault, InvalidInputError

_PER_DOCUMENT = 2_000
FromOption = Annotated[str | None, typer.Option("--from", help="RFC 3339 time")]
UntilOption = Annotated[str | None, typer.Option("--until", help="RFC 3339 time")]
MachineOption = Annotated[str, typer.Option(help="Id of a machine")]


def add(app: typer.Typer, starters: Starters) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Traced parts: genealogy, recalls, EPCIS 2.0, control charts.")

    def import_recording(
        kind: Annotated[str, typer.Argument(help="Kind of recording that knows its parts: nist-batch")],
        folder: Annotated[Path, typer.Argument(help="Folder of the recording")],
        data: DataOption = None,
        to: ToOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Bring the parts of a recording in. Exit code 1 if a file of it could not be read whole."""
        # Not at the top: reading recordings needs numpy, which `serve` has no use for.
        from servitwin.formats.epcis_writer import write_document  # noqa: PLC0415
        from servitwin.sdk.recording import TracedRecording  # noqa: PLC0415

        recording = starters.open_recording(kind, folder)
        if not isinstance(recording, TracedRecording):
            raise InvalidInputError(Fault("trace:no-parts", f"A recording {kind} names no parts", "Try nist-batch"))
        events = recording.traces()
        sums = {"captured": 0, "known": 0, "withdrawn": 0}
        with connect(data, to) as node:
            for i in range(0, len(events), _PER_DOCUMENT):
                found = node.capture_traces(write_document(events[i : i + _PER_DOCUMENT], time.time_ns()))
                sums = {name: count + found[name] for name, count in sums.items()}
        _tell_capture(sums, as_json, recording.faults)
        if recording.faults:
            raise typer.Exit(FINDING)

    for name, command in (
        ("capture", capture), ("import", import_recording), ("export", export), ("parts", parts), ("show", show),
        ("recall", recall), ("chart", chart),
    ):  # fmt: skip
        group.command(name)(handled(command))
    app.add_typer(group, name="trace")


def _tell_capture(sums: dict[str, int], as_json: bool, faults: Any = ()) -> None:
    if as_json:
        print_json({**sums, "faults": msgspec.to_builtins(faults)})
        return
    typer.echo(f"{sums['captured']} events are new, {sums['known']} were there, {sums['withdrawn']} were withdrawn")
    for fault in faults:
        typer.echo(f"servitwin: {fault}", err=True)


def capture(
    files: Annotated[list[Path], typer.Argument(help="EPCIS 2.0 documents (JSON-LD)")],
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring the events of EPCIS documents in; the same document again changes nothing."""
    documents = []
    for file in files:
        try:
            documents.append(msgspec.json.decode(text_of(file), type=dict[str, Any]))
        except msgspec.DecodeError as e:
            raise InvalidInputError(Fault("epcis:not-json", f"{file.name}: {e}", "EPCIS 2.0 as JSON-LD")) from None
    sums = {"captured": 0, "known": 0, "withdrawn": 0}
    faults: list[Fault] = []
    with connect(data, to) as node:
        for document in documents:
            found = node.capture_traces(document)
            sums = {name: count + found[name] for name, count in sums.items()}
            faults += [Fault(f["code"], f["message"], f["hint"], f["where"]) for f in found["not_matched"]]
    _tell_capture(sums, as_json, faults)


def export(
    part: Annotated[str, typer.Option(help="Only events about this id")] = "",
    start: FromOption = None,
    until: UntilOption = None,
    out: Annotated[Path | None, typer.Option(help="File to write [default: standard output]")] = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write events as one EPCIS 2.0 document."""
    del as_json  # it is JSON in any case
    events: list[dict[str, Any]] = []
    token = None
    with connect(data, to) as node:
        while True:
            query = {"GE_eventTime": start, "LT_eventTime": until, "MATCH_anyEPC": part, "nextPageToken": token}
            page = node.epcis_events(perPage=_PER_DOCUMENT, **query)
            found = page["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
            events += found
            if len(found) < _PER_DOCUMENT:
                break
            token = _token(found[-1])
    document = {**page, "type": "EPCISDocument", "epcisBody": {"eventList": events}}
    if out is None:
        print_json(document)
    else:
        out.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n")
        typer.echo(f"{len(events)} events in {out}")


def _token(last: dict[str, Any]) -> str:
    """Goes on after that event, as the API's own link does."""
    import base64  # noqa: PLC0415

    from servitwin.domain.instant import parse_instant  # noqa: PLC0415

    text = f"{parse_instant(last['eventTime'])}|{last['eventID']}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def parts(
    query: Annotated[str, typer.Argument(help="Beginning of the name, or the whole id")] = "",
    kind: Annotated[str, typer.Option(help="part, batch, tool or container")] = "part",
    product: Annotated[str, typer.Option()] = "",
    verdict: Annotated[str, typer.Option(help="pass or fail")] = "",
    machine: MachineOption = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """List parts, newest first."""
    with connect(data, to) as node:
        found = node.parts(q=query, kind=kind, product=product, verdict=verdict, machine=machine, limit=limit)["items"]
    if as_json:
        print_json(found)
    else:
        _table(found)


def _table(items: list[dict[str, Any]]) -> None:
    heads = ("name", "kind", "product", "machine", "made", "verdict", "reason", "id")
    print_table(heads, [tuple(str(i[h] or "-") for h in heads) for i in items])


def show(
    id: Annotated[str, typer.Argument(help="Id of a part, batch, tool or container")],
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell the life of one part: what went into it, what it went into, what was measured."""
    with connect(data, to) as node:
        life = node.genealogy(id)
    if as_json:
        print_json(life)
        return
    o = life["object"]
    typer.echo(f"{o['name']} ({o['kind']} {o['product']}), {o['verdict'] or 'not judged'} {o['reason']}".rstrip())
    for event in life["events"]:
        used = ", ".join(f"{u['kind']} {u['name']}" for u in event["inputs"])
        said = [event["machine"], event["program"], event["step"], event["role"], used, event["reason"]]
        typer.echo(f"  {event['time']}  {event['kind']:<10} {'; '.join(s for s in said if s)}")
        for m in event["measures"]:
            limits = f"[{m['lower']}, {m['upper']}]" if m["lower"] is not None or m["upper"] is not None else ""
            typer.echo(f"      {m['name']:<24} {m['value']:>12g} {m['unit']:<4} {limits} {m['verdict']}".rstrip())
    for name, word in (("up", "made of"), ("down", "went into")):
        others = [k["source" if name == "up" else "target"] for k in life[name]]
        if others:
            typer.echo(f"  {word}: {', '.join(dict.fromkeys(others))}")


def recall(
    ids: Annotated[list[str] | None, typer.Argument(help="Batches, tools or parts to begin with")] = None,
    up: Annotated[bool, typer.Option("--up", help="What went into them, instead of what they went into")] = False,
    machine: MachineOption = "",
    start: FromOption = None,
    until: UntilOption = None,
    limit: Annotated[int, typer.Option(min=0, max=10_000)] = 1000,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Recall what a batch, a tool, a part or a machine's hours went into. Exit code 1 if parts are found."""
    with connect(data, to) as node:
        found = node.recall(
            ids or [], direction="up" if up else "down", machine=machine, from_=start, to=until, limit=limit
        )
    if as_json:
        print_json(found)
    else:
        _table(found["items"])
        typer.echo(f"{found['parts']} parts, {found['failed']} of them failed; {found['count']} objects in all")
    if found["parts"] and not up:
        raise typer.Exit(FINDING)


def chart(
    product: Annotated[str, typer.Argument()] = "",
    characteristic: Annotated[str, typer.Argument()] = "",
    machine: MachineOption = "",
    kind: Annotated[str, typer.Option(help="xbar-r, xbar-s or individuals [default: as measured]")] = "",
    size: Annotated[int, typer.Option(min=0, max=100)] = 0,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show control chart and capability; without a characteristic, what there is. Exit code 1 if a rule breaks."""
    with connect(data, to) as node:
        if not characteristic:
            named = [c for c in node.spc_characteristics() if product in ("", c["product"])]
            rows = [(c["product"], c["name"], c["unit"], str(c["values"]), c["last"]) for c in named]
            print_json(named) if as_json else print_table(("product", "characteristic", "unit", "values", "last"), rows)
            return
        found = node.spc_chart(product, characteristic, machine=machine, kind=kind, size=size)
    broken = [p for p in found["points"] if p["rules"] or p["spread_rules"]]
    if as_json:
        print_json(found)
    else:
        _tell_chart(found, broken)
    if broken:
        raise typer.Exit(FINDING)


def _tell_chart(found: dict[str, Any], broken: list[dict[str, Any]]) -> None:
    line, unit = found["location"], found["unit"]
    typer.echo(
        f"{found['kind']}: {len(found['points'])} points, limits from {found['groups']} subgroups of {found['size']}"
    )
    typer.echo(f"centre {line['centre']:.6g} {unit}, limits {line['lower']:.6g} to {line['upper']:.6g} {unit}")
    for name in ("cp", "cpk", "pp", "ppk", "cm"):
        index = (found["capability"] or {}).get(name)
        if index:
            between = "" if index["low"] is None else f" ({index['low']:.2f} to {index['high']:.2f})"
            typer.echo(f"{name}: {index['value']:.2f}{between}")
    warnings = [*found["warnings"], *(found["capability"] or {"warnings": []})["warnings"]]
    for w in warnings:
        typer.echo(f"note: {w['message']}")
    for p in broken[-20:]:
        typer.echo(f"{p['end']}  {p['value']:.6g} {unit}  breaks {', '.join([*p['rules'], *p['spread_rules']])}")
