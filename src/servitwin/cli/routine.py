"""Commands for minutes of routine: what shifts said, saying it, and the comparison before and after."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from servitwin.cli.node import FINDING, DataOption, JsonOption, ToOption, connect, print_json, print_table
from servitwin.domain.error import Fault, InvalidInputError

PartyOption = Annotated[str, typer.Option(help="Company whose shifts they are; default: yours")]
PlaceArgument = Annotated[str, typer.Argument(help="Id of the machine, workplace or line")]


def said_routine(
    place: PlaceArgument, party: PartyOption = "", data: DataOption = None, to: ToOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """The last shifts."""
    with connect(data, to) as node:
        found = node.routine_shifts(place, party)
    if as_json:
        print_json(found)
        return
    rows = [(s["day"], s["shift"], s["start"], str(s["minutes"]), _said(s["said"])) for s in found["shifts"]]
    print_table(("day", "shift", "began", "minutes", "routine"), rows)
    typer.echo(f"kinds: {', '.join(k['id'] for k in found['kinds'])}")


def say_routine(
    place: PlaceArgument,
    day: Annotated[str, typer.Argument(help="Local day on which the shift began, YYYY-MM-DD")],
    shift: Annotated[str, typer.Argument(help="Its name in the calendar")],
    minutes: Annotated[list[str], typer.Argument(help="KIND=MINUTES, one for each kind; what is not named is 0")],
    part: Annotated[bool, typer.Option("--part", help="The shift was covered in part; it is not compared")] = False,
    period: Annotated[str, typer.Option(help="before or after; default: by the day since the assistant is used")] = "",
    product: Annotated[
        list[str] | None, typer.Option(help="Product worked on; default: those of the answers to the plan")
    ] = None,
    party: PartyOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say it."""
    spent = dict(_spent(text) for text in minutes)
    with connect(data, to) as node:
        kinds = [k["id"] for k in node.routine_shifts(place, party)["kinds"]]
        all_kinds = dict.fromkeys(kinds, 0) | spent
        found = node.say_routine(
            place, day, shift, all_kinds, party, whole=not part, period=period, products=product or []
        )
    if as_json:
        print_json(found)
    else:
        typer.echo(f"noted: {_said(found)}; no name is kept with it")


def compare_routine(
    place: Annotated[str, typer.Argument(help="Machine or line with all below it; default: everything")] = "",
    party: PartyOption = "",
    from_: Annotated[str | None, typer.Option("--from", help="Begin, RFC 3339; else two years before the end")] = None,
    until: Annotated[str | None, typer.Option("--until", help="End (exclusive), RFC 3339; else now")] = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Before and after."""
    with connect(data, to) as node:
        found = node.routine_comparison(place, party, from_, until)
    if as_json:
        print_json(found)
    else:
        _told(found)
    if found["total"]["difference"] is None:
        raise typer.Exit(FINDING)


def _told(found: dict[str, Any]) -> None:
    rows = [_row(k) for k in (found["total"] | {"title": "all together"}, *found["kinds"])]
    print_table(("min a shift", "before", "shifts", "after", "shifts", "difference", "95 % interval"), rows)
    refused = found["total"]["refused"]
    if refused is not None:
        typer.echo(f"{refused['message']}. {refused['hint']}.")
    money = found["money"]
    if money is not None:
        typer.echo(
            f"saved a shift: {money['per_shift']} {money['currency']} "
            f"({money['low']} to {money['high']}) at {money['rate']} {money['currency']} an hour"
        )
    for fault in (*found["warnings"], *found["left_out"]):
        typer.echo(f"note: {fault['message']}" + (f" ({fault['hint']})" if fault["hint"] else ""))
    if found["note"]:
        typer.echo(f"note: {found['note']}")
    typer.echo(f"shifts that began from {found['from']} until {found['to']}")
    typer.echo(f"rule {found['rule']}: {found['source']}")


def _row(k: dict[str, Any]) -> tuple[str, ...]:
    d = k["difference"]
    ends = ("-", "-") if d is None else (f"{d['mean']:+.1f}", f"{d['low']:+.1f} to {d['high']:+.1f}")
    sides = [k[s] for s in ("before", "after")]
    told = (t for s in sides for t in (f"{s['mean']:.1f}" if s["count"] else "-", str(s["count"])))
    return (k["title"], *told, *ends)


def _spent(text: str) -> tuple[str, int]:
    kind, _, number = text.partition("=")
    try:
        return kind, int(number)
    except ValueError:
        fault = Fault("routine:minutes", f"{text[:60]!r} is no KIND=MINUTES", "Write it like shift-log=15", "minutes")
        raise InvalidInputError(fault) from None


def _said(said: dict[str, Any] | None) -> str:
    if said is None:
        return "-"
    whole = "" if said["whole"] else " (in part)"
    return f"{sum(said['minutes'].values())} min{whole}"
