"""Results of a party's contracts: profit and loss, savings of customers, renewals."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from servitwin.cli.node import DataOption, JsonOption, ToOption, connect, print_json, print_table

FromOption = Annotated[str | None, typer.Option("--from", help="Begin, RFC 3339; else a year before the end")]
UntilOption = Annotated[str | None, typer.Option("--until", help="End (exclusive), RFC 3339; else now")]
_SUMS = ("revenue", "credits", "visits", "parts", "data", "shares", "margin")


def profit(
    from_: FromOption = None,
    until: UntilOption = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what each contract brought in, cost and left."""
    with connect(data, to) as node:
        found = node.profit_and_loss(from_=from_, to=until)
    if as_json:
        print_json(found)
        return
    rows = [
        (r["contract"], r["customer"], *(r[s] for s in _SUMS), r["margin_percent"] or "-", r["currency"]) for r in found
    ]
    print_table(("contract", "customer", *_SUMS, "%", "currency"), rows)


def savings(
    from_: FromOption = None,
    until: UntilOption = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what contracts save their customers a year, by service and by customer."""
    with connect(data, to) as node:
        found = node.savings(from_=from_, to=until)
    if as_json:
        print_json(found)
        return
    rows = [(r["service"], r["customer"], r["contract"], *_saved(r)) for r in found["items"]]
    print_table(("service", "customer", "contract", "hours", "saved", "90 % range", "after fee", "baseline"), rows)
    for noun in ("service", "customer"):
        for s in found[f"by_{noun}"]:
            typer.echo(
                f"{noun} {s['name']}: {float(s['saved_hours']):.1f} h and {s['saved']} {s['currency']} a year, "
                f"{s['after_fee']} after the fee ({', '.join(s['contracts'])})"
            )


def _saved(row: dict[str, Any]) -> tuple[str, ...]:
    counted = row["counted"]
    if counted is None:
        return ("-", "-", "-", "-", row["why"]["message"])
    return (
        f"{float(counted['saved_hours']):.1f}",
        f"{counted['saved']} {row['currency']}",
        f"{counted['low']} to {counted['high']}",
        str(counted["after_fee"]),
        "agreed" if counted["agreed"] else "not signed by both: counts in no sum",
    )


def renewals(
    from_: FromOption = None,
    until: UntilOption = None,
    at: Annotated[str | None, typer.Option(help="By the signatures made until then, RFC 3339; else now")] = None,
    tolerance: Annotated[
        int | None, typer.Option(help="Days that a follow-up may begin before or after the end [default: 30]")
    ] = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show which contracts ended and were followed up; yearly fees before and after."""
    with connect(data, to) as node:
        found = node.renewals(from_=from_, to=until, at=at, tolerance_days=tolerance)
    if as_json:
        print_json(found)
        return
    typer.echo(f"ended from {found['from']} to {found['to']}, followed up within {found['tolerance_days']} days")
    rows = [
        (
            f"{e['contract']}@{e['version']}", e["customer"], e["end"], e["outcome"], e["before"],
            " ".join(sorted({m["follow_up"] for m in e["machines"] if m["follow_up"]})) or "-",
        )
        for e in found["contracts"]
    ]  # fmt: skip
    print_table(("contract", "customer", "ends", "outcome", "fee a year", "follow-up"), rows)
    for count in (*found["customers"], *found["totals"]):
        typer.echo(_told(count))


def _told(c: dict[str, Any]) -> str:
    share = {name: "-" if c[name] is None else f"{c[name]} %" for name in c if name.endswith(("percent", "by_fee"))}
    return (
        f"{c['customer'] or 'in all'}: {c['ended']} ended, {c['renewed']} renewed, {c['partly']} in part, "
        f"{c['churned']} churned, {c['open']} open; renewed {share['renewal_percent']} by count, "
        f"{share['renewal_percent_by_fee']} by fee; fee a year {c['before']} -> {c['after']} {c['currency']}, "
        f"net retention {share['net_retention_percent']}, gross {share['gross_retention_percent']}"
    )
