"""``servitwin bench``: what this machine reaches, without a checkout."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from servitwin.cli.node import FINDING, JsonOption, handled, print_json, print_table
from servitwin.cli.starters import BENCH_CASES, BenchPlan, Measured
from servitwin.domain.error import Fault, InvalidInputError

Starter = Callable[[BenchPlan, Callable[[str], None]], Sequence[Measured]]


def add(app: typer.Typer, starter: Starter) -> None:
    """Add the command."""
    app.command("bench", help="Measure what a node reaches on this machine, on a folder that is thrown away.")(
        _bench(starter)
    )


def _bench(starter: Starter) -> Callable[..., None]:
    def bench(
        only: Annotated[
            list[str] | None, typer.Option(help=f"Only this case of {', '.join(BENCH_CASES)}; may be given again")
        ] = None,
        messages: Annotated[
            int, typer.Option(min=100, max=2_000_000, help="Messages of a case; batches are a fortieth of them")
        ] = 100_000,
        machines: Annotated[int, typer.Option(min=4, max=500, help="Machines that tell")] = 100,
        seconds: Annotated[float, typer.Option(min=1, max=600, help="No case publishes for longer")] = 30.0,
        folder: Annotated[Path | None, typer.Option(help="Where the throw-away folder lies [default: /tmp]")] = None,
        as_json: JsonOption = False,
    ) -> None:
        unknown = sorted(set(only or ()) - set(BENCH_CASES))
        if unknown:
            known = ", ".join(BENCH_CASES)
            raise InvalidInputError(
                Fault("bench:case-unknown", f"{unknown[0][:40]!r} is no case", f"Use one of {known}")
            )
        if folder is not None and not folder.is_dir():
            raise InvalidInputError(Fault("bench:no-folder", f"{folder} is no folder", "Name one that exists"))
        cases = tuple(c for c in BENCH_CASES if not only or c in only)
        plan = BenchPlan(cases, messages, machines, seconds, folder)
        measured = starter(plan, lambda text: typer.echo(text, err=True))
        if as_json:
            print_json({"cores": os.cpu_count(), "results": measured})
        else:
            print_table(("work", "at least", "measured", "in", ""), [_row(m) for m in measured])
        if any(m.detail.get("missing") for m in measured):
            raise typer.Exit(FINDING)

    return handled(bench)


def _row(m: Measured) -> tuple[str, ...]:
    floor = "" if m.floor is None else f"{m.floor:,.0f} {m.unit}"
    detail = ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in m.detail.items())
    return m.what, floor, f"{m.value:,} {m.unit}", f"{m.seconds} s", detail
