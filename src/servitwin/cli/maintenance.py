"""Maintenance: what is due, where it costs least, what became of recommendations, jobs and routes."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from servitwin.cli.node import (
    DataOption,
    JsonOption,
    ToOption,
    connect,
    handled,
    print_json,
    print_table,
)
from servitwin.cli.waited_job import end_for, waited_for
from servitwin.client.client import Client
from servitwin.domain.error import Fault, InvalidInputError

Days = Annotated[int, typer.Option(help="How many days ahead")]
Budget = Annotated[float, typer.Option("--budget", help="Seconds that the planner may use")]
IdArgument = Annotated[str, typer.Argument(help="Id of the recommendation")]
OrderArgument = Annotated[str, typer.Argument(help="Id of the work order")]
WindowStart = Annotated[str | None, typer.Option("--from", help="Begin of the window, RFC 3339")]
WindowEnd = Annotated[str | None, typer.Option("--until", help="End of the window, RFC 3339")]
TextOption = Annotated[str, typer.Option(help="Why, or what was done")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="What is due, where it costs least, and what became of it.", no_args_is_help=True)
    for name, command in (
        ("due", list_due), ("parts", list_parts), ("plan", plan), ("propose", propose),
        ("recommendations", list_recommendations), ("answer", answer), ("jobs", list_jobs), ("tick", tick),
        ("use", use), ("close", close), ("routes", routes), ("visits", count),
    ):  # fmt: skip
        group.command(name)(handled(command))
    app.add_typer(group, name="maintenance")


def list_due(data: DataOption = None, to: ToOption = None, as_json: JsonOption = False) -> None:
    """Tasks with their windows, the most urgent first."""
    with connect(data, to) as node:
        found = node.due_tasks()
    if as_json:
        print_json(found)
        return
    rows = [
        (t["id"], t["twin"], t["component"], t["due"] or "-", t["latest"] or "-", _state(t), t["advice"])
        for t in found["items"]
    ]
    print_table(("task", "machine", "component", "due", "latest", "state", "advice"), rows)


def list_parts(data: DataOption = None, to: ToOption = None, as_json: JsonOption = False) -> None:
    """Spare parts with their reorder point and what to order now."""
    with connect(data, to) as node:
        found = node.due_tasks()["parts"]
    if as_json:
        print_json(found)
        return
    rows = [(p["id"], str(p["stock"]), str(p["reorder_point"]), str(p["order"]), p["cost"], p["why"]) for p in found]
    print_table(("part", "stock", "reorder at", "order", "cost", "why"), rows)


def plan(
    days: Days = 35,
    budget: Budget = 20.0,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Place what is due into the production schedule, wait for it, and show where. Exit code 1 if it fails."""
    with connect(data, to) as node:
        _wait(node, node.plan_maintenance(days, budget), as_json)
        found = node.maintenance_plan()
    if as_json:
        print_json(found)
        return
    rows = [
        (
            p["task"], p["twin"], p["technician"], p["from"], f"{p['chosen']['cost']:.2f}",
            f"{p['at_once']['cost']:.2f}", "; ".join(p["why"]),
        )
        for p in found["placed"]
    ]  # fmt: skip
    print_table(("task", "machine", "technician", "from", "cost", "at once", "why"), rows)
    for left in found["left_out"]:
        typer.echo(f"not placed: {left['id']}: {left['why']}")
    job = found["job"]
    typer.echo(f"{found['cost']:.2f} {found['currency']} (no plan below {job['bound']:.2f}); job {job['id']}")


def propose(
    job: Annotated[str, typer.Argument(help="Job with the plan; default: the newest")] = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose what a plan says to the customers."""
    with connect(data, to) as node:
        if not job:
            newest = node.maintenance_plan()["job"]
            if newest is None:
                fault = Fault("maintenance:no-plan", "There is no plan yet", "servitwin maintenance plan")
                raise InvalidInputError(fault)
            job = newest["id"]
        found = node.propose_recommendations(job)
    if as_json:
        print_json(found)
    else:
        typer.echo(f"{len(found['made'])} proposed, {len(found['open_already'])} open already")


def list_recommendations(data: DataOption = None, to: ToOption = None, as_json: JsonOption = False) -> None:
    """Recommendations, the newest first, and how they ended."""
    with connect(data, to) as node:
        found = node.recommendations()
    if as_json:
        print_json(found)
        return
    rows = [
        (
            r["id"], r["twin"], r["title"], r["from"], r["status"], r["waiting_for"] or "-",
            f"{r['cost']} {r['currency']}",
        )
        for r in found["items"]
    ]  # fmt: skip
    print_table(("id", "machine", "what", "from", "status", "waits for", "cost"), rows)


def answer(
    id: IdArgument,
    action: Annotated[str, typer.Argument(help="accept, refuse, counter, schedule, judge or withdraw")],
    start: WindowStart = None,
    until: WindowEnd = None,
    text: TextOption = "",
    found: Annotated[str | None, typer.Option(help="near_failure, worn, good or failed_before")] = None,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a recommendation for your party, or take its next step."""
    step = {"action": action, "from": start, "to": until, "text": text, "found": found}
    with connect(data, to) as node:
        told = node.step_recommendation(id, step)
    if as_json:
        print_json(told)
    else:
        typer.echo(f"{told['id']}: {told['status']}" + (f", work order {o}" if (o := told["work_order"]) else ""))


def list_jobs(
    mine: Annotated[bool, typer.Option(help="Yours alone")] = False,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Open jobs of technicians."""
    with connect(data, to) as node:
        found = node.job_sheets(mine)
    if as_json:
        print_json(found)
        return
    rows = [(s["order"], s["twin"], s["title"], s["technician"], s["from"] or "-", _steps(s)) for s in found]
    print_table(("order", "machine", "what", "technician", "from", "steps"), rows)


def tick(
    order: OrderArgument,
    step: Annotated[int, typer.Argument(help="Number of the step, from 1")],
    note: Annotated[str, typer.Option(help="What was measured or seen")] = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """A step of a job is done."""
    _step(order, "ticks", {"step": step, "note": note}, data, to, as_json)


def use(
    order: OrderArgument,
    part: Annotated[str, typer.Argument(help="Id of the part")],
    quantity: Annotated[int, typer.Argument(help="Pieces")] = 1,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take pieces from the shelf for a job."""
    _step(order, "parts", {"part": part, "quantity": quantity}, data, to, as_json)


def close(
    order: OrderArgument,
    case: Annotated[str, typer.Option(help="Case of the machine that the work mends")] = "",
    proof: Annotated[str, typer.Option(help="Address of the proof of repair")] = "",
    note: TextOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """A job is done: its work order ends."""
    _step(order, "close", {"case": case, "proof": proof, "note": note}, data, to, as_json)


def routes(
    days: Days = 7,
    budget: Budget = 10.0,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Plan who visits what when, wait for it, and show the routes. Exit code 1 if it fails."""
    with connect(data, to) as node:
        _wait(node, node.plan_visits(days, budget), as_json)
        found = node.visit_routes()
    if as_json:
        print_json(found)
        return
    rows = [
        (r["name"], s["from"], s["to"], s["title"], f"{s['drive_m'] / 1000:.0f} km")
        for r in found["routes"]
        for s in r["stops"]
    ]
    print_table(("technician", "from", "to", "visit", "drive"), rows)
    for left in found["left_out"]:
        typer.echo(f"left out: {left['title']}: {left['why']}")


def count(data: DataOption = None, to: ToOption = None, as_json: JsonOption = False) -> None:
    """Planned and ad hoc visits by contract, with the money against the baseline."""
    with connect(data, to) as node:
        found = node.visit_counts()
    if as_json:
        print_json(found)
        return
    rows = [
        (v["customer"], v["contract"], str(v["planned"]), str(v["ad_hoc"]), v["baseline"] or "-", v["saved"] or "-",
         "yes" if v["agreed"] else "no")
        for v in found["items"]
    ]  # fmt: skip
    print_table(("customer", "contract", "planned", "ad hoc", "baseline a year", "saved", "agreed"), rows)


def _step(order: str, step: str, body: dict[str, Any], data: Any, to: Any, as_json: bool) -> None:
    with connect(data, to) as node:
        found = node.step_job(order, step, body)
    if as_json:
        print_json(found)
        return
    sheet = found.get("sheet", found)
    typer.echo(f"{sheet['title']}: {_steps(sheet)}" + (", closed" if sheet["closed_at"] else ""))
    if found.get("order") and "sheet" in found:
        typer.echo(f"order {found['order']} now: {found['why']}")


def _wait(node: Client, job: dict[str, Any], as_json: bool) -> None:
    job = waited_for(node, job)
    if job["state"] != "done":
        end_for(job, as_json)


def _state(task: dict[str, Any]) -> str:
    return "overdue" if task["overdue"] else "not known when" if task["unknown"] else "due"


def _steps(sheet: dict[str, Any]) -> str:
    return f"{sum(s['done'] for s in sheet['procedure'])} of {len(sheet['procedure'])} steps"
