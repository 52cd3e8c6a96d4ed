"""What the twins say: twins, state, availability, oee."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from servitwin.cli.node import DataOption, JsonOption, ToOption, connect, handled, print_json, print_table

TwinArgument = Annotated[str, typer.Argument(help="Id of the twin")]
FromOption = Annotated[str | None, typer.Option("--from", help="Begin, RFC 3339 or nanoseconds")]
UntilOption = Annotated[str | None, typer.Option("--until", help="End (exclusive), RFC 3339 or nanoseconds")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (twins, state, availability, oee):
        app.command(command.__name__)(handled(command))


def twins(
    kind: Annotated[str | None, typer.Option(help="machine, line, factory ...")] = None,
    q: Annotated[str | None, typer.Option("--search", help="Text in id, title or serial number")] = None,
    parent: Annotated[str | None, typer.Option(help="Only parts of this twin")] = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """List twins with their state."""
    with connect(data, to) as node:
        found = list(node.twins(kind=kind, q=q, parent=parent))
    if as_json:
        print_json(found)
        return
    rows = [(t.id, t.kind, t.type or "-", t.state.state if t.state else "-", str(t.alarms), t.title) for t in found]
    print_table(("id", "kind", "type", "state", "alarms", "title"), rows)


def state(twin: TwinArgument, data: DataOption = None, to: ToOption = None, as_json: JsonOption = False) -> None:
    """Show the values of a twin now."""
    with connect(data, to) as node:
        now = node.state(twin)
    if as_json:
        print_json(now)
        return
    if now.state is not None:
        typer.echo(f"{now.twin} is {now.state.state} since {now.state.since} ({now.state.word or 'no word'})")
    rows = [
        (name, "unavailable" if v.value is None else str(v.value), v.unit, v.time, "stale" if v.stale else "")
        for name, v in sorted(now.values.items())
    ]
    print_table(("signal", "value", "unit", "time", ""), rows)


def availability(
    twin: TwinArgument,
    formula: Annotated[str | None, typer.Option(help="Such as en15341-m10@1")] = None,
    definitions: Annotated[bool, typer.Option(help="The same recording under several definitions")] = False,
    from_: FromOption = None,
    until: UntilOption = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Availability of a twin by a named formula."""
    if definitions:
        _tell_definitions(twin, from_, until, data, to, as_json)
        return
    with connect(data, to) as node:
        found = node.availability(twin, formula=formula, from_=from_, to=until)
    if as_json:
        print_json(found)
        return
    value = f"{found.value:.4%}" if found.value is not None else f"undefined: {found.reason}"
    typer.echo(f"{twin} availability by {found.formula}: {value}")
    typer.echo(f"{found.numerator_s:.0f} s of {found.denominator_s:.0f} s; unknown {found.unknown_s:.0f} s")


def _tell_definitions(
    twin: str, from_: str | None, until: str | None, data: Path | None, to: str | None, as_json: bool
) -> None:
    with connect(data, to) as node:
        found = node.definitions(twin, from_=from_, to=until)
    if as_json:
        print_json(found)
        return
    rows = [
        (d["title"], _ratio(d["value"]), _ratio(d["value_without_gaps"]), ", ".join(d["bad"] or d["good"]))
        for d in found["definitions"]
    ]
    print_table(("definition (exercise)", "as recorded", "without declared gaps", "words"), rows)


def oee(
    twin: TwinArgument,
    from_: FromOption = None,
    until: UntilOption = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """OEE of a twin with its losses and what was assumed."""
    with connect(data, to) as node:
        found = node.oee(twin, from_=from_, to=until)
    if as_json:
        print_json(found)
        return
    typer.echo(f"{twin} {found.called}: {_ratio(found.oee)} {found.reason}".rstrip())
    for name in ("availability", "performance", "quality"):
        typer.echo(f"  {name:<13}{_ratio(getattr(found, name))}")
    for loss in found.losses:
        typer.echo(f"  lost to {loss.get('name')}: {loss.get('seconds', 0):.0f} s")
    for text in [*found.assumed, *found.flags]:
        typer.echo(f"  {text}")


def _ratio(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.2%}"
