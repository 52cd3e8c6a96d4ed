"""Work orders of a machine: list, open, change, close, cancel."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from servitwin.cli.node import DataOption, JsonOption, ToOption, connect, handled, print_json, print_table

TwinArgument = Annotated[str, typer.Argument(help="Id of the machine")]
OrderArgument = Annotated[str, typer.Argument(help="Id of the work order")]
StartOption = Annotated[str | None, typer.Option("--from", help="Begin, RFC 3339")]
EndOption = Annotated[str | None, typer.Option("--until", help="End (exclusive), RFC 3339")]
CauseOption = Annotated[str | None, typer.Option(help="Cause of the machine's reason tree, like mechanical")]
PartyOption = Annotated[
    str | None, typer.Option(help="Responsible: provider, customer, third or a party's id; else by the reason tree")
]
TextOption = Annotated[str, typer.Option(help="What was done")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Work orders: planned and unplanned work on a machine.", no_args_is_help=True)
    for name, command in (
        ("list", list_orders),
        ("open", open_order),
        ("change", change),
        ("close", close),
        ("cancel", cancel),
    ):
        group.command(name)(handled(command))
    app.add_typer(group, name="work-orders")


def list_orders(twin: TwinArgument, data: DataOption = None, to: ToOption = None, as_json: JsonOption = False) -> None:
    """Work orders of a machine, the newest work first."""
    with connect(data, to) as node:
        found = node.work_orders(twin)
    if as_json:
        print_json(found)
        return
    rows = [(o["id"], o["kind"], o["status"], o["from"], o["to"] or "-", o["cause"], o["party"] or "-") for o in found]
    print_table(("id", "kind", "status", "from", "to", "cause", "responsible"), rows)


def open_order(
    twin: TwinArgument,
    kind: Annotated[str, typer.Argument(help="planned or unplanned")],
    cause: Annotated[str, typer.Argument(help="Cause of the machine's reason tree, like mechanical")],
    start: Annotated[str, typer.Argument(help="Begin, RFC 3339")],
    until: EndOption = None,
    party: PartyOption = None,
    text: TextOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Open a work order."""
    order = {"kind": kind, "from": start, "to": until, "cause": cause, "party": party, "text": text}
    with connect(data, to) as node:
        _tell(node.open_work_order(twin, order), as_json)


def change(
    twin: TwinArgument,
    order: OrderArgument,
    start: StartOption = None,
    until: EndOption = None,
    cause: CauseOption = None,
    party: PartyOption = None,
    text: TextOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change what a work order says; what it said before is kept."""
    step = {"action": "change", "from": start, "to": until, "cause": cause, "party": party, "text": text}
    with connect(data, to) as node:
        _tell(node.step_work_order(twin, order, step), as_json)


def close(
    twin: TwinArgument,
    order: OrderArgument,
    until: EndOption = None,
    cause: CauseOption = None,
    party: PartyOption = None,
    text: TextOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Close a work order, now or at an instant; planned work is proposed as an exclusion."""
    step = {"action": "close", "to": until, "cause": cause, "party": party, "text": text}
    with connect(data, to) as node:
        _tell(node.step_work_order(twin, order, step), as_json)


def cancel(
    twin: TwinArgument,
    order: OrderArgument,
    text: Annotated[str, typer.Option(help="Why")] = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cancel a work order: it counts for nothing from then on, and is kept."""
    with connect(data, to) as node:
        _tell(node.step_work_order(twin, order, {"action": "cancel", "text": text}), as_json)


def _tell(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    claims = ", ".join(f"{c['exclusion']} under {c['contract']} is {c['status']}" for c in found["claims"])
    typer.echo(f"{found['id']} is {found['status']}" + (f"; claim {claims}" if claims else ""))
