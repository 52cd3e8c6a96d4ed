"""``simulate``: break and mend components of simulated machines."""

from __future__ import annotations

from typing import Annotated

import typer

from servitwin.cli.node import DataOption, JsonOption, ToOption, connect, handled, print_json, print_table


def add(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Break and mend components of simulated machines.", no_args_is_help=True)
    group.command("list")(handled(list_faults))
    group.command("fault")(handled(fault))
    app.add_typer(group, name="simulate")


def list_faults(data: DataOption = None, to: ToOption = None, as_json: JsonOption = False) -> None:
    """List the faults that can be injected."""
    with connect(data, to) as node:
        tray = node.simulator()
    if as_json:
        print_json(tray)
        return
    rows = [(f.twin, f.fault, "active" if f.active else "", f.component, f.title) for f in tray.faults]
    print_table(("twin", "fault", "", "component", "title"), rows)


def fault(
    twin: Annotated[str, typer.Argument(help="Id of the twin")],
    name: Annotated[str, typer.Argument(metavar="FAULT", help="Name of the fault, see `simulate list`")],
    off: Annotated[bool, typer.Option("--off", help="Mend instead of break")] = False,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Break a component, or mend it with --off."""
    with connect(data, to) as node:
        answer = node.simulate_fault(twin, name, not off)
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"{name} on {twin} is {'mended' if off else 'active'}")
