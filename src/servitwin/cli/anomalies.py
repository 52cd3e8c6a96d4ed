"""Anomalies: let a machine be watched, see what differs from what was learnt of it, and say what is normal."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from servitwin.cli.figures import TwinArgument
from servitwin.cli.node import FINDING, DataOption, JsonOption, ToOption, connect, handled, print_json, print_table

SERVICE = "anomaly"
ALONE = "all"  # the regime of a machine that names none
FromOption = Annotated[str | None, typer.Option("--from", help="RFC 3339; default: 30 days ago")]
UntilOption = Annotated[str | None, typer.Option("--until", help="RFC 3339; default: now")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="What differs from what was learnt of a machine; nothing is proven by it.")
    group.command("watch")(handled(watch))
    group.command("stop")(handled(stop))
    group.command("list")(handled(list_anomalies))
    group.command("show")(handled(show))
    group.command("normal")(handled(normal))
    group.command("changes")(handled(changes))
    app.add_typer(group, name="anomalies")


def watch(
    twin: TwinArgument,
    every: Annotated[str | None, typer.Option(help="Length of a bin; default: 5m")] = None,
    learn: Annotated[str | None, typer.Option(help="Length of the stretch to learn from; default: 7d")] = None,
    regime: Annotated[str | None, typer.Option(help="Text signal whose words are the regimes")] = None,
    setting: Annotated[
        list[str] | None, typer.Option(help="Number that says how it is run, again for each: regimes are found in them")
    ] = None,
    signal: Annotated[
        list[str] | None, typer.Option(help="Numeric signal, again for each; default: all but settings")
    ] = None,
    since: Annotated[str | None, typer.Option(help="RFC 3339, may be in the past; default: now")] = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let the service learn a machine and watch it; with a time in the past it goes over history first."""
    said = {"every": every, "learn": learn, "regime": regime, "settings": setting or None, "signals": signal or None}
    parameters = {name: value for name, value in said.items() if value is not None}
    with connect(data, to) as node:
        found = node.run_service(twin, SERVICE, parameters, since)
    if as_json:
        print_json(found)
    else:
        typer.echo(f"{found['twin']} is watched since {found['since']}")


def stop(twin: TwinArgument, data: DataOption = None, to: ToOption = None, as_json: JsonOption = False) -> None:
    """Watch a machine no longer; what was found stays."""
    with connect(data, to) as node:
        node.stop_service(twin, SERVICE)
    if as_json:
        print_json({"twin": twin, "running": False})
    else:
        typer.echo(f"{twin} is watched no longer")


def list_anomalies(
    twin: TwinArgument,
    start: FromOption = None,
    until: UntilOption = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what differs. Exit code 1 if something differs now."""
    with connect(data, to) as node:
        found = node.anomalies(twin, start, until)
    if as_json:
        print_json(found)
    else:
        _tell(found)
    if any(a["to"] is None for a in found["items"]):
        raise typer.Exit(FINDING)


def show(
    twin: TwinArgument,
    anomaly: Annotated[str, typer.Argument(metavar="ID", help="Id of the anomaly, see `anomalies list`")],
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one stretch with its signals."""
    with connect(data, to) as node:
        found = node.anomaly(twin, anomaly)
    if as_json:
        print_json(found)
        return
    typer.echo(f"{found['from']} to {found['to'] or 'now'}: {found['text']}")
    rows = [
        (s["signal"], _percent(s["share"]), s["since"] or "", *(_figure(s[n]) for n in ("value", "usual", "deviation")))
        for s in found["signals"]
    ]
    print_table(("signal", "share", "since", "value", "usual", "deviations"), rows)
    for hint in found["hints"]:
        typer.echo(f"hypothesis: {hint}")
    if found["case"] is not None:
        typer.echo(f"case {found['case']['id']}, {found['case']['status']}")


def normal(
    twin: TwinArgument,
    text: Annotated[str, typer.Option(help="What was changed, or why")],
    since: Annotated[str | None, typer.Option(help="RFC 3339; default: now")] = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that what the machine does since then is normal: it is learnt anew."""
    with connect(data, to) as node:
        found = node.say_normal(twin, text, since)
    if as_json:
        print_json(found)
    else:
        typer.echo(f"{twin} is learnt anew since {found['at']}")


def changes(twin: TwinArgument, data: DataOption = None, to: ToOption = None, as_json: JsonOption = False) -> None:
    """List when a machine was changed: repairs, versions of its type, and what people say is normal."""
    with connect(data, to) as node:
        found = node.machine_changes(twin)
    if as_json:
        print_json(found)
        return
    rows = [tuple(c[n] for n in ("at", "kind", "text", "by", "case")) for c in found]
    print_table(("at", "kind", "what", "by", "case"), rows)


def _tell(found: dict[str, Any]) -> None:
    if not found["watches"]:
        typer.echo("Nobody looks for anomalies on this machine: `servitwin anomalies watch`")
    for w in found["watches"]:
        for m in w["models"]:
            why = f", because {m['because']}" if m["because"] else ""
            typer.echo(f"model {m['version']}: {m['state']} from {m['from']} to {m['to']}{why}")
            for name, bins in m["regimes"].items():
                if name != ALONE:
                    typer.echo(f"  regime {name}: {bins} bins")
            for f in (*m["left_out"], *m["notes"]):
                typer.echo(f"  {f['where']}: {f['message']}. {f['hint']}")
        if w["failure"]:
            typer.echo(f"does not run: {w['failure']}")
    rows = [
        (a["id"], a["kind"], a["from"], a["to"] or "goes on", a["case"]["status"] if a["case"] else "", a["text"])
        for a in found["items"]
    ]
    print_table(("id", "kind", "from", "to", "case", "what"), rows)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
