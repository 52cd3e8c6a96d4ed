"""Cases: what was found wrong with machines, what people did about it, and its proof."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from servitwin.cli.node import DataOption, JsonOption, ToOption, connect, handled, print_json, print_table

CaseArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the case, see `cases list`")]
AlsoOption = Annotated[
    list[str] | None, typer.Option("--also", help="Related case that takes the same step; none or all take it")
]
TextOption = Annotated[str, typer.Option("--text", help="In your own words")]
ComponentOption = Annotated[str, typer.Option("--component", help="Path of the component")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="What was found wrong, what is done about it, and what is proven.", no_args_is_help=True)
    group.command("list")(handled(list_cases))
    group.command("show")(handled(show))
    group.command("acknowledge")(handled(acknowledge))
    group.command("diagnose")(handled(diagnose))
    group.command("repair")(handled(repair))
    group.command("close")(handled(close))
    group.command("dismiss")(handled(dismiss))
    group.command("proof")(handled(proof))
    app.add_typer(group, name="cases")


def list_cases(
    twin: Annotated[str | None, typer.Option(help="Only cases of this twin and of what is below it")] = None,
    only_open: Annotated[bool, typer.Option("--open", help="Only those neither proven mended nor closed")] = False,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """List cases, the most urgent first."""
    with connect(data, to) as node:
        found = list(node.cases(twin=twin, only_open=only_open))
    if as_json:
        print_json(found)
        return
    rows = [
        (c["id"], c["twin"], c["requirement"], c["severity"], c["status"], "now" if c["active"] else "", c["alarm"],
         c["opened"], c["waits_for"])
        for c in found
    ]  # fmt: skip
    print_table(("id", "twin", "requirement", "severity", "status", "violated", "alarm", "opened", "waits for"), rows)


def show(case: CaseArgument, data: DataOption = None, to: ToOption = None, as_json: JsonOption = False) -> None:
    """Show what is proven of a case, the hypotheses, every step, and what is still missing."""
    with connect(data, to) as node:
        found = node.case(case)
    if as_json:
        print_json(found)
    else:
        _tell(found)


def acknowledge(
    case: CaseArgument,
    text: TextOption = "",
    also: AlsoOption = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that you have seen it."""
    _step(case, "acknowledged", {"text": text}, also, data, to, as_json)


def diagnose(
    case: CaseArgument,
    cause: Annotated[str, typer.Option(help="Name of a likely cause, see `cases show`")] = "",
    component: ComponentOption = "",
    text: TextOption = "",
    also: AlsoOption = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what the cause is."""
    _step(case, "diagnosed", {"component": component, "cause": cause, "text": text}, also, data, to, as_json)


def repair(
    case: CaseArgument,
    what: Annotated[str, typer.Option(help="What was done or put in")],
    change: Annotated[str, typer.Option(help="part, parameter or software")] = "part",
    component: ComponentOption = "",
    version: Annotated[str, typer.Option(help="Version of the software or the parameter")] = "",
    done_by: Annotated[str, typer.Option("--by", help="Who did it; default: you")] = "",
    done_at: Annotated[str | None, typer.Option("--at", help="When, RFC 3339; default: now")] = None,
    text: TextOption = "",
    also: AlsoOption = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record a repair; that it worked is proven by what the machine does from then on."""
    said = {
        "component": component, "what": what, "change": change, "version": version, "done_by": done_by,
        "done_at": done_at, "text": text,
    }  # fmt: skip
    _step(case, "repaired", said, also, data, to, as_json)


def close(
    case: CaseArgument,
    text: Annotated[str, typer.Option("--text", help="Why it ends without a proof")],
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a case without proof of repair."""
    _step(case, "closed", {"text": text}, None, data, to, as_json)


def dismiss(
    case: CaseArgument,
    text: Annotated[str, typer.Option("--text", help="Why it is no fault")],
    normal_since: Annotated[
        str | None,
        typer.Option("--normal-since", help="RFC 3339: what it does since then is normal, and is learnt anew"),
    ] = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a case of what a service found as no fault; what is violated is proven, and cannot be dismissed."""
    _step(case, "dismissed", {"text": text, "normal_since": normal_since}, None, data, to, as_json)


def proof(
    case: CaseArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write")],
    kind: Annotated[str, typer.Option(help="violated, or repaired")] = "violated",
    certificate: Annotated[bool, typer.Option("--certificate", help="The printable certificate instead (PDF)")] = False,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Save the proof file of a case; `servitwin verify FILE` checks it without a node."""
    with connect(data, to) as node:
        content = node.case_certificate(case, kind) if certificate else node.case_proof(case, kind)
    output.write_bytes(content)
    if as_json:
        print_json({"case": case, "kind": kind, "file": str(output), "bytes": len(content)})
    else:
        typer.echo(f"{output}: {len(content)} bytes")


def _step(
    case: str,
    kind: str,
    said: dict[str, Any],
    also: list[str] | None,
    data: Path | None,
    to: str | None,
    as_json: bool,
) -> None:
    with connect(data, to) as node:
        found = node.take_case_step(case, kind, said, also or ())
    if as_json:
        print_json(found)
    else:
        typer.echo(
            f"{found['id']} is {found['status']}, {found['alarm']}; waits for: {found['waits_for'] or 'nothing'}"
        )


def _tell(c: dict[str, Any]) -> None:
    typer.echo(f"{c['twin']} {c['requirement']} ({c['severity']}): {c['text']}")
    now = "violated now" if c["active"] else "not violated now"
    typer.echo(f"{c['status']}, {c['alarm']}, {now}; waits for: {c['waits_for'] or 'nothing'}")
    for r in c["related"]:
        typer.echo(f"belongs together with {r['id']} {r['requirement']} ({r['severity']}, {r['status']})")
    for f in c["findings"]:
        typer.echo(f"violated {f['from']} to {f['to'] or 'now'}")
    if c["explanation"] is not None:
        typer.echo(f"because at {c['explanation']['at']}:")
        for s in c["explanation"]["samples"]:
            value = "not known" if s["value"] is None else s["value"]
            typer.echo(f"  {s['signal']} = {value} {s['unit']}".rstrip() + f" since {s['time']}")
    for f in c["floods"]:
        typer.echo(f"flood of alarms: {f['count']} from {f['from']} to {f['to']}")
    for a in c["alarms"]:
        typer.echo(_alarm_line(a))
    if c["alarms_left_out"]:
        typer.echo(f"and {c['alarms_left_out']} more alarms")
    for h in c["hypotheses"]:
        why = f" ({'; '.join(h['because'])})" if h["because"] else ""
        typer.echo(f"hypothesis, {100 * h['weight']:.0f} %: {h['title'] or h['name']}{why}")
    for s in c["steps"]:
        typer.echo(f"{s['number']:>3}  {s['at']}  {s['kind']}  by {s['by']}")
    if c["progress"] is not None:
        p = c["progress"]
        missing = f"missing: {p['missing']}" if p["missing"] else "proven"
        kept = f"{p['occurrences']} of {p['needed']} occurrences" if p["needed"] else f"{p['lasted_s']:.0f} s"
        typer.echo(f"repair: {kept} kept; {missing}")


def _alarm_line(a: dict[str, Any]) -> str:
    name = " ".join(part for part in (a["signal"], a["code"]) if part)
    times = f", raised {a['count']} times, last at {a['last']}" if a["count"] > 1 else ""
    text = f": {a['text']}" if a["text"] else ""
    return f"alarm ({a['severity']}) {name} {a['from']} to {a['to'] or 'now'}{times}{text}"
