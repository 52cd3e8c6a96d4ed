"""Mobile robots: what they do, transport tasks, closed zones, maps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from servitwin.cli.node import DataOption, JsonOption, ToOption, connect, handled, print_json, print_table
from servitwin.domain.error import Fault, InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from servitwin.client import Client

FleetOption = Annotated[str, typer.Option("--fleet", help="Id of the fleet's twin [default: the only one]")]
ZoneArgument = Annotated[str, typer.Argument(help="Name of the zone")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Mobile robots: what they do, transports, closed zones, maps.", no_args_is_help=True)
    for name, command in (
        ("list", list_robots),
        ("tasks", list_tasks),
        ("events", list_events),
        ("send", send),
        ("cancel", cancel),
        ("block", block),
        ("open", open_zone),
        ("trust", trust),
        ("map", show_map),
    ):
        group.command(name)(handled(command))
    app.add_typer(group, name="robots")


def list_robots(data: DataOption = None, to: ToOption = None, as_json: JsonOption = False) -> None:
    """All robots: what each does, where it is, its battery."""
    with connect(data, to) as node:
        found = node.robots()
    if as_json:
        print_json(found)
        return
    heads = ("robot", "fleet", "condition", "activity", "place", "there at", "pace", "battery", "waits")
    rows = [
        (
            r["robot"], r["fleet"], r["condition"], r["activity"], r["place"] or "-",
            r["arrives"] or "-", f"{r['pace']:.2f} m/s",
            "-" if r["battery"] is None else f"{r['battery']:.0f} %", r["waits"] or r["doubt"] or "-",
        )
        for r in found
    ]  # fmt: skip
    print_table(heads, rows)


def list_tasks(
    fleet: FleetOption = "", data: DataOption = None, to: ToOption = None, as_json: JsonOption = False
) -> None:
    """Transport tasks, open ones first."""
    found = _shown(fleet, data, to)["tasks"]
    if as_json:
        print_json(found)
        return
    rows = [(t["id"], t["state"], t["from"], t["to"], t["robot"] or "-", t["reason"] or "-") for t in found]
    print_table(("id", "state", "from", "to", "robot", "reason"), rows)


def list_events(
    fleet: FleetOption = "", data: DataOption = None, to: ToOption = None, as_json: JsonOption = False
) -> None:
    """What happened and what was done about it, the newest last."""
    found = list(reversed(_shown(fleet, data, to)["events"]))
    if as_json:
        print_json(found)
        return
    for event in found:
        typer.echo(f"{event['at']}  {event['weight']:<7}  {event['text']}")


def send(
    id: Annotated[str, typer.Argument(help="Id of the task; the same again counts once")],
    origin: Annotated[str, typer.Argument(help="Station or place where it is picked up")],
    target: Annotated[str, typer.Argument(help="Station or place where it is dropped")],
    priority: Annotated[int, typer.Option(help="A higher one goes first")] = 0,
    load: Annotated[str, typer.Option(help="What is carried")] = "",
    due: Annotated[str | None, typer.Option(help="When it should be there, RFC 3339")] = None,
    fleet: FleetOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask for a transport."""
    task = {"id": id, "from": origin, "to": target, "priority": priority, "load": load, "due": due}
    with connect(data, to) as node:
        done = node.add_transport_task(_named(node, fleet), task)
    _tell(done, as_json, f"{done['id']} is {done['state']}")


def cancel(
    id: Annotated[str, typer.Argument(help="Id of the task")],
    reason: Annotated[str, typer.Option(help="Why")] = "",
    fleet: FleetOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a transport up."""
    with connect(data, to) as node:
        done = node.cancel_transport_task(_named(node, fleet), id, reason)
    _tell(done, as_json, f"{done['id']} is {done['state']}")


def block(
    zone: ZoneArgument,
    places: Annotated[list[str], typer.Argument(help="Places or stations that are closed")],
    person: Annotated[bool, typer.Option("--person", help="Somebody is in there: robots in it stop")] = False,
    reason: Annotated[str, typer.Option(help="Why")] = "",
    fleet: FleetOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Close places: nobody drives in, who was on the way goes round."""
    body = {"id": zone, "places": places, "kind": "person" if person else "blocked", "reason": reason}
    with connect(data, to) as node:
        done = node.close_zone(_named(node, fleet), body)
    _tell(done, as_json, f"{zone} is closed: {', '.join(done['places'])}")


def open_zone(
    zone: ZoneArgument,
    fleet: FleetOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Open a zone again."""
    with connect(data, to) as node:
        done = node.open_zone(_named(node, fleet), zone)
    _tell(done, as_json, f"{zone} is open")


def trust(
    robot: Annotated[str, typer.Argument(help="Id of the robot's twin")],
    fleet: FleetOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Somebody has looked at the robot: its positions count again."""
    with connect(data, to) as node:
        done = node.trust_robot(_named(node, fleet), robot)
    _tell(done, as_json, f"{robot} is believed again")


def show_map(
    file: Annotated[Path, typer.Argument(help="MovingAI .map, or a layout (LIF, JSON)")],
    layout: Annotated[str, typer.Option(help="Id of the layout, where a LIF file has several")] = "",
    cell: Annotated[float, typer.Option(help="Length of a cell of a .map, m")] = 1.0,
    as_json: JsonOption = False,
) -> None:
    """Check a map and print it as `map` of a connection; says which places cannot be reached."""
    from servitwin.domain.fleet.road_map import Graph  # noqa: PLC0415 - `serve` runs from this command line too
    from servitwin.formats.lif import read_layout  # noqa: PLC0415
    from servitwin.formats.movingai import read_map  # noqa: PLC0415

    try:
        content = file.read_bytes()
    except OSError as e:
        raise NotFoundError(Fault("file:not-found", f"{file} cannot be read: {e}", "Check its name")) from e
    if file.suffix == ".map":
        try:
            read = read_map(content.decode("utf-8"), file.stem, cell)
        except UnicodeDecodeError as e:
            raise InvalidInputError(Fault("map:head-wrong", f"{file} is no text: {e}", "Fetch it again")) from e
    else:
        read = read_layout(content, layout)
    graph = Graph(read)
    regions = graph.regions()
    largest = max(set(regions), key=regions.count)
    lost = [i for i, r in zip(graph.ids, regions, strict=True) if r != largest]
    typer.echo(f"{file}: {graph.size} places, {len(graph.way)} ways", err=True)
    if lost:
        more = " ..." if len(lost) > 10 else ""
        typer.echo(
            f"{len(lost)} places cannot be reached from the others and back: {', '.join(lost[:10])}{more}", err=True
        )
    if as_json:
        print_json(msgspec.to_builtins(read))


def _named(node: Client, fleet: str) -> str:
    if fleet:
        return fleet
    found = [f["id"] for f in node.fleets()]
    if len(found) != 1:
        names = ", ".join(found) or "none"
        raise InvalidInputError(Fault("cli:fleet-missing", f"There are {len(found)} fleets", f"--fleet: {names}"))
    return str(found[0])


def _shown(fleet: str, data: Path | None, to: str | None) -> dict[str, Any]:
    with connect(data, to) as node:
        return node.fleet(_named(node, fleet))


def _tell(done: dict[str, Any], as_json: bool, text: str) -> None:
    if as_json:
        print_json(done)
    else:
        typer.echo(text)
