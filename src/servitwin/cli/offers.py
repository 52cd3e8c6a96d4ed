"""Offers: what a contract file would mean before anybody keeps it, and contracts as the file they came from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from servitwin.cli.node import DataOption, JsonOption, ToOption, connect, print_json
from servitwin.domain.error import Fault, InvalidInputError

_FORM = "FIGURE, or LOW/LIKELY/HIGH"


def evaluate(
    file: Annotated[Path, typer.Argument(help="Contract file (YAML or JSON)")],
    cost_per_hour: Annotated[str | None, typer.Option(help=f"What an hour down costs the customer: {_FORM}")] = None,
    visits: Annotated[str, typer.Option(help=f"Visits a year that the fee covers: {_FORM}")] = "0",
    cost_per_visit: Annotated[str, typer.Option(help=f"What the customer pays for one today: {_FORM}")] = "0",
    from_: Annotated[str | None, typer.Option("--from", help="First day; else twelve months ago")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Day after the last; else today")] = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Price the risk of an offer, run it over the past, and count the customer's gain; nothing is kept."""
    costs = None
    if cost_per_hour is not None:
        said = {"cost_per_hour": cost_per_hour, "visits": visits, "cost_per_visit": cost_per_visit}
        costs = {name: _estimate(text, name) for name, text in said.items()}
    with connect(data, to) as node:
        found = node.evaluate_offer(file.read_text("utf-8"), costs, from_=from_, to=until)
    if as_json:
        print_json(found)
        return
    for line in _told(found):
        typer.echo(line)


def contract_file(
    contract: Annotated[str, typer.Argument(help="Id of the contract")],
    version: Annotated[int | None, typer.Option(help="Version; else the one that binds, else the newest")] = None,
    data: DataOption = None,
    to: ToOption = None,
) -> None:
    """Print a contract as its file (YAML): to change it, or to bring it in elsewhere."""
    with connect(data, to) as node:
        typer.echo(node.contract_file(contract, version).decode(), nl=False)


def _estimate(text: str, name: str) -> dict[str, str]:
    parts = text.split("/")
    if len(parts) not in {1, 3}:
        option = name.replace("_", "-")
        raise InvalidInputError(Fault("cli:estimate", f"--{option} {text!r} is no estimate", f"Write {_FORM}"))
    return dict(zip(("low", "likely", "high"), parts if len(parts) == 3 else parts * 3, strict=True))


def _told(found: dict[str, Any]) -> list[str]:
    lines = [f"{found['contract']}, digest {found['digest']}; nothing is kept"]
    price, trial, gain = found["price"], found["trial"], found["gain"]
    if price is None:
        lines.append(f"price of the risk: {found['price_problem']['message']}")
    else:
        lines.append(
            f"price of the risk, a period of {price['period_fee']} {price['currency']}: expected credit "
            f"{price['expected_credit']}, premium {price['premium']}, missed with {price['missed']:.1%}"
        )
    if trial is None:
        lines.append(f"trial: {found['trial_problem']['message']}")
    else:
        lines.append(
            f"trial {trial['from'][:10]} to {trial['to'][:10]}: fee {trial['fee']}, credit {trial['credit']}, "
            f"bonus {trial['bonus']}, to pay {trial['payable']} {trial['currency']}"
        )
    if gain is not None:
        lines.append(
            f"customer's gain a year: {gain['if_kept']} {gain['currency']} if the level is kept "
            f"({gain['saved_hours']} h less down, worth {gain['saved']}, {gain['low']} to {gain['high']}), "
            f"{gain['as_last_year']} if the machines are down as in the trial"
        )
    lines += [f"cannot be signed beside {other}, which guarantees the same time" for other in found["overlaps"]]
    return lines
