"""Command for work that the shift moves at its machine."""

from __future__ import annotations

from typing import Annotated

import typer

from servitwin.cli.node import FINDING, DataOption, JsonOption, ToOption, connect, print_json


def move_in_shift(
    machine: Annotated[str, typer.Argument(help="Id of the machine's twin")],
    operation: Annotated[str, typer.Argument(help="ORDER/OPERATION")],
    how: Annotated[str, typer.Argument(help="first, or later (than the one after it)")],
    reason: Annotated[str, typer.Option(help="Why what waits has to wait: a reason that `next --json` lists")] = "",
    text: Annotated[str, typer.Option(help="Your own words, beside a reason or instead of one")] = "",
    ask: Annotated[bool, typer.Option("--ask", help="Let whoever plans decide")] = False,
    look: Annotated[bool, typer.Option("--look", help="Only tell what would happen")] = False,
    party: Annotated[str, typer.Option(help="Company whose production it is; default: yours")] = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look, then move: without --ask only what needs no planner."""
    order, _, step = operation.rpartition("/")
    with connect(data, to) as node:
        seen = node.look_at_move(machine, order, step, how, party)
        refused = look or not (seen["allowed"] or ask)
        done = None if refused else node.move_in_shift(
            machine, order, step, how, seen["revision"], reason, text, party, ask=ask
        )  # fmt: skip
    if as_json:
        print_json(done or seen)
    else:
        for line in (*seen["lines"], *(f["message"] for f in seen["against"])):
            typer.echo(line)
        if done is not None:
            typer.echo("it holds now" if done["plan"] == "published" else f"kept as {done['plan']} for whoever plans")
        elif not seen["allowed"]:
            typer.echo("this needs a planner: nothing was changed; --ask lets whoever plans decide")
    if refused and not seen["allowed"]:
        raise typer.Exit(FINDING)
