"""Commands for deliveries: where they stand, what is said of them, and what matches none."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from servitwin.cli.node import FINDING, DataOption, JsonOption, ToOption, connect, handled, print_json, print_table

PartyOption = Annotated[str, typer.Option(help="Company for which you ask or speak; default: yours")]
Ref = Annotated[str, typer.Argument(help="Reference of the delivery as the register has it; of an order its id")]
HouseOption = Annotated[str, typer.Option(help="Company in whose register the delivery is; default: yours")]
ThingOption = Annotated[str, typer.Option(help="Material or product, where the reference is of several")]
AmountOption = Annotated[int | None, typer.Option(help="How much; default: as it is expected so far")]


def add(app: typer.Typer) -> None:
    """Add the group ``delivery``."""
    group = typer.Typer(help="Deliveries: announced, under way, there, and by whose word.", no_args_is_help=True)
    group.command("list", help="Deliveries of your company, and those of others from or to it. Exit code 1: late.")(
        handled(list_deliveries)
    )
    group.command("not-matched", help="What was said and is about no delivery, and how to mend it. Exit code 1: some.")(
        handled(not_matched)
    )
    group.command("expect", help="Say when a delivery is expected, or how much, and why.")(handled(expect))
    group.command("came", help="Say that a delivery came.")(handled(came))
    group.command("withdraw", help="Take back what your company said, in words or by an event.")(handled(withdraw))
    app.add_typer(group, name="delivery")


def list_deliveries(
    party: PartyOption = "", data: DataOption = None, to: ToOption = None, as_json: JsonOption = False
) -> None:
    """Where deliveries stand."""
    with connect(data, to) as node:
        found = node.deliveries(party)
    rows = [*found["own"], *found["of_others"]]
    if as_json:
        print_json(found)
    else:
        head = ("company", "", "what", "reference", "with", "announced", "state", "expected or came", "h late", "by")
        print_table(head, [_row(d) for d in rows])
    if any(d["late_s"] for d in rows if d["state"] != "came"):
        raise typer.Exit(FINDING)


def not_matched(
    party: PartyOption = "", data: DataOption = None, to: ToOption = None, as_json: JsonOption = False
) -> None:
    """What matches nothing."""
    with connect(data, to) as node:
        found = list(node.deliveries_not_matched(party))
    if as_json:
        print_json({"items": found})
    for n in () if as_json else found:
        typer.echo(f"{n['at']}  {n['step']} by {n['party']}  {n['id']}")
        typer.echo(f"      {n['fault']['message']} [{n['fault']['code']}]")
        typer.echo(f"      {n['fault']['hint']}")
    if found:
        raise typer.Exit(FINDING)


def expect(
    ref: Ref,
    reason: Annotated[str, typer.Option(help="Why it is expected otherwise")],
    at: Annotated[str | None, typer.Option(help="When it is expected, RFC 3339; default: as so far")] = None,
    amount: AmountOption = None,
    house: HouseOption = "",
    thing: ThingOption = "",
    party: PartyOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Another time or amount."""
    said = {"time": at, "amount": amount, "house": house, "thing": thing, "reason": reason, "party": party}
    with connect(data, to) as node:
        _tell(node.say_of_delivery("expected", ref, **said), as_json)


def came(
    ref: Ref,
    at: Annotated[str | None, typer.Option(help="When it came, RFC 3339; default: now")] = None,
    amount: AmountOption = None,
    house: HouseOption = "",
    thing: ThingOption = "",
    party: PartyOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """It is there."""
    said = {"time": at, "amount": amount, "house": house, "thing": thing, "party": party}
    with connect(data, to) as node:
        _tell(node.say_of_delivery("came", ref, **said), as_json)


def withdraw(
    id: Annotated[str, typer.Argument(help="Id of the event or word, as `list --json` has it in `said`")],
    party: PartyOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """It was never right."""
    with connect(data, to) as node:
        node.withdraw_delivery_word(id, party)
    if as_json:
        print_json({"withdrawn": id})
    else:
        typer.echo("withdrawn: it counts no more")


def _tell(delivery: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(delivery)
    else:
        typer.echo("  ".join(_row(delivery)))


def _row(d: dict[str, Any]) -> tuple[str, ...]:
    there = d["came"] or d["expected"] or d["announced"] or ""
    said = d["said"] or d["expected_by"]
    by = "" if said is None else f"{said['party']}: {'event ' if said['event'] else ''}{said['by'] or said['id']}"
    late = f"{d['late_s'] / 3600:.1f}" if d["late_s"] else ""
    amount = f"{d['came_amount']} of {d['announced_amount']}" if d["came"] or d["came_amount"] else str(d["amount"])
    return (
        d["house"], d["side"], f"{amount} {d['thing']}", d["ref"], d["partner"], d["announced"] or "", d["state"],
        there, late, by,
    )  # fmt: skip
