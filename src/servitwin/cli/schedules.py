"""Commands for production plans: ask, show, compare, move, publish; what is next at a machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from servitwin.cli.node import (
    FINDING,
    DataOption,
    JsonOption,
    ToOption,
    connect,
    handled,
    print_json,
    print_table,
)
from servitwin.cli.routine import compare_routine, said_routine, say_routine
from servitwin.cli.shift import move_in_shift
from servitwin.cli.texts import media_of, text_of
from servitwin.cli.waited_job import end_for, waited_for

PartyOption = Annotated[str, typer.Option(help="Company whose production it is; default: yours")]
PlanId = Annotated[str, typer.Argument(help="`published`, the id of a job, or of a plan changed by hand")]


def add(app: typer.Typer) -> None:
    """Add the group ``schedule``."""
    group = typer.Typer(help="Production plans: what is done when, on which machine, and why.", no_args_is_help=True)
    group.command(
        "ask", help="Let a plan be made of what is known now, and wait for it. Exit code 1 if there is none."
    )(handled(ask))
    group.command("list", help="List plans.")(handled(list_plans))
    group.command("show", help="Show a plan: orders, operations, what is late and why. Exit code 1 if one is late.")(
        handled(show)
    )
    group.command("compare", help="What moves from one plan to another, and why.")(handled(compare))
    group.command("move", help="Put an operation elsewhere; the rest is repaired around it.")(handled(move))
    group.command("publish", help="Make a plan the one that holds.")(handled(publish))
    group.command("next", help="What is next at a machine, and why.")(handled(next_task))
    group.command("answer", help="Say that an operation was begun, is done, or is rejected.")(handled(answer))
    group.command("needs", help="Which material is needed when, what is called off, and OTIF; late first.")(
        handled(needs)
    )
    group.command("concerning", help="What the plans of other companies need of yours and will bring to it.")(
        handled(concerning)
    )
    group.command("job-list", help="A plan as job list of ISA-95 (OPC 10031-4) on standard output.")(handled(job_list))
    group.command("problem", help="What a plan was made from, as `jobs ask schedule` takes it, on standard output.")(
        handled(problem)
    )
    group.command("table", help="A plan as CSV on standard output.")(handled(table))
    group.command(
        "import", help="Bring a plan from a .csv table or a .json plan or job list: all of it, or none and every fault."
    )(handled(import_plan))
    routine = typer.Typer(help="Minutes of routine that shifts say themselves, without names.", no_args_is_help=True)
    routine.command("shifts", help="The last shifts at a place, and what they said.")(handled(said_routine))
    routine.command("say", help="Say how many minutes of a shift were routine, by kind; again to correct it.")(
        handled(say_routine)
    )
    routine.command("compare", help="Before and after the assistant. Exit code 1 where there are too few shifts.")(
        handled(compare_routine)
    )
    group.add_typer(routine, name="routine")
    shift = typer.Typer(help="What whoever stands at a machine may change in the plan.", no_args_is_help=True)
    shift.command("move", help="Do an operation first, or later than the next. Exit code 1 where it needs a planner.")(
        handled(move_in_shift)
    )
    group.add_typer(shift, name="shift")
    app.add_typer(group, name="schedule")


def ask(
    seconds: Annotated[float, typer.Option(help="Seconds to search")] = 20.0,
    freeze: Annotated[int, typer.Option(help="Minutes from now in which the published plan stays")] = 0,
    party: PartyOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask, wait, and tell how good it is."""
    with connect(data, to) as node:
        job = waited_for(node, node.ask_schedule(seconds, freeze, party))
        plan = node.schedule(job["id"], party) if job["result"] else None
    if plan is None:
        end_for(job, as_json)
    _tell_plan(plan, as_json)


def list_plans(
    party: PartyOption = "", data: DataOption = None, to: ToOption = None, as_json: JsonOption = False
) -> None:
    """Kept plans and jobs."""
    with connect(data, to) as node:
        found = node.schedules(party)
    if as_json:
        print_json(found)
        return
    rows = [(p["id"], "kept", p["at"], str(p["figures"]["late_orders"]), _noted(p)) for p in found["kept"]]
    rows += [(j["id"], j["state"], j["at"], "", _about(j)) for j in found["jobs"]]
    print_table(("plan", "state", "at", "late", "about"), rows)


def show(
    id: PlanId = "published",
    party: PartyOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """A plan."""
    with connect(data, to) as node:
        plan = node.schedule(id, party)
    if as_json:
        print_json(plan)
    else:
        _summary(plan)
        rows = [
            (o["start"], o["end"], o["machine"], f"{o['order']}/{o['operation']}", o["product"])
            for o in plan["operations"]
        ]
        print_table(("start", "end", "machine", "operation", "product"), rows)
    if plan["figures"]["late_orders"]:
        raise typer.Exit(FINDING)


def compare(
    first: PlanId,
    second: PlanId,
    party: PartyOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Two plans."""
    with connect(data, to) as node:
        found = node.compare_schedules(first, second, party)
    if as_json:
        print_json(found)
        return
    _moves(found)


def move(
    id: PlanId,
    operation: Annotated[str, typer.Argument(help="ORDER/OPERATION")],
    machine: Annotated[str, typer.Argument(help="Where it shall go")],
    start: Annotated[str, typer.Argument(help="From when on, RFC 3339")],
    party: PartyOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Move by hand."""
    order, _, step = operation.rpartition("/")
    with connect(data, to) as node:
        found = node.move_operation(id, order, step, machine, start, party)
    if as_json:
        print_json(found)
        return
    typer.echo(f"kept as {found['plan']['id']}")
    _moves(found["comparison"])


def publish(
    id: PlanId,
    title: Annotated[str, typer.Option(help="A name for people")] = "",
    replaces: Annotated[
        int | None, typer.Option(help="Only if the published plan has this revision; 0: if there is none")
    ] = None,
    party: PartyOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Publish."""
    with connect(data, to) as node:
        plan = node.publish_schedule(id, title, party, replaces)
    _tell_plan(plan, as_json)


def next_task(
    machine: Annotated[str, typer.Argument(help="Id of the machine's twin")],
    party: PartyOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """What is next."""
    with connect(data, to) as node:
        found = node.next_tasks(machine, party)
    if as_json:
        print_json(found)
        return
    for task in found["tasks"]:
        head = "now " if task["running"] else "next"
        typer.echo(f"{head}  {task['start']}  {task['order']}/{task['operation']}  {task['title']}")
        for line in (*task["because"], *(f"cannot begin yet: {m}" for m in task["missing"])):
            typer.echo(f"      {line}")


def answer(
    operation: Annotated[str, typer.Argument(help="ORDER/OPERATION")],
    said: Annotated[str, typer.Argument(help="begun, done or rejected")],
    reason: Annotated[str, typer.Option(help="Why it is rejected")] = "",
    party: PartyOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell the plan."""
    order, _, step = operation.rpartition("/")
    with connect(data, to) as node:
        found = node.answer_task(order, step, said, reason, party)
    if as_json:
        print_json(found)
    else:
        typer.echo("noted")


def needs(party: PartyOption = "", data: DataOption = None, to: ToOption = None, as_json: JsonOption = False) -> None:
    """Just in time."""
    with connect(data, to) as node:
        found = node.material_needs(party)
    if as_json:
        print_json(found)
        return
    _needs(found)


def concerning(
    party: PartyOption = "", data: DataOption = None, to: ToOption = None, as_json: JsonOption = False
) -> None:
    """Just in time, from outside."""
    with connect(data, to) as node:
        found = node.concerning(party)
    if as_json:
        print_json(found)
        return
    for needs in found["items"]:
        typer.echo(f"plan of {needs['party']}")
        _needs(needs)


def job_list(id: PlanId = "published", party: PartyOption = "", data: DataOption = None, to: ToOption = None) -> None:
    """ISA-95."""
    with connect(data, to) as node:
        print_json(node.job_list(id, party))


def problem(id: PlanId = "published", party: PartyOption = "", data: DataOption = None, to: ToOption = None) -> None:
    """The problem."""
    with connect(data, to) as node:
        print_json(node.schedule_problem(id, party))


def table(id: PlanId = "published", party: PartyOption = "", data: DataOption = None, to: ToOption = None) -> None:
    """CSV."""
    with connect(data, to) as node:
        sys.stdout.write(node.schedule_table(id, party))


def import_plan(
    file: Annotated[Path, typer.Argument(help=".csv or .json, as `table`, `show --json` or `job-list` write it")],
    base: Annotated[str, typer.Option(help="Plan that it was exported from; default: what is known now")] = "",
    party: PartyOption = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """A plan from a file."""
    media = media_of(file, "A plan is")
    content = text_of(file).encode()
    with connect(data, to) as node:
        plan = node.import_schedule(content, media, base, file.name, party)
    if not as_json:
        typer.echo(f"kept as {plan['id']}; publish it to make it hold")
    _tell_plan(plan, as_json)


def _needs(found: dict[str, Any]) -> None:
    rows = [
        (
            r["at"],
            r["material"],
            str(r["amount"]),
            f"{r['order']}/{r['operation']}" if r["order"] else "",
            r["machine"],
            r["supplier"] or "stock",
            "not covered" if r["expected"] is None else r["expected"] + (" LATE" if r["late_s"] else ""),
        )
        for r in found["requirements"]
    ]
    print_table(("needed", "material", "amount", "for", "on", "from", "there"), rows)
    for p in found["pull"]:
        typer.echo(
            f"call off {p['amount']} {p['material']} from {p['supplier']} by {p['by']} ({p['containers']} containers)"
        )
    orders = [
        (o["order"], o["customer"], o["due"] or "", o["expected"], f"{o['late_s'] / 3600:.1f}") for o in found["orders"]
    ]
    print_table(("order", "customer", "promised", "expected", "h late"), orders)
    for side in ("suppliers", "customers"):
        for o in found[side]:
            ratio = "-" if o["ratio"] is None else f"{o['ratio']:.1%}"
            typer.echo(f"OTIF of {side[:-1]} {o['party']}: {ratio} of {o['counted']} in 90 days")


def _tell_plan(plan: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(plan)
    else:
        _summary(plan)


def _noted(plan: dict[str, Any]) -> str:
    because = f"; because {', '.join(plan['why'])}" if plan["why"] else ""
    return f"{plan['note']}{because}"


def _about(job: dict[str, Any]) -> str:
    because = f"; proposed because {', '.join(job['why'])}" if job["why"] else ""
    return f"value {job['value']}, bound {job['bound']}{because}"


def _summary(plan: dict[str, Any]) -> None:
    f = plan["figures"]
    typer.echo(
        f"plan {plan['id']}: {f['late_orders']} of {len(plan['orders'])} orders late, "
        f"{f['lateness_s'] / 3600:.1f} h in sum; set-ups {f['setup_s'] / 3600:.1f} h; value {f['value']:g}"
    )
    if plan["why"]:
        typer.echo(f"  because {', '.join(plan['why'])}")
    for order in plan["orders"]:
        if order["why"]:
            typer.echo(f"  {order['why']}")


def _moves(found: dict[str, Any]) -> None:
    rows = [
        (f"{m['order']}/{m['operation']}", m["machine"], m["start"], f"{m['later_s'] / 60:+.0f}", m["why"])
        for m in found["moved"]
    ]
    print_table(("operation", "machine", "start", "min later", "why"), rows)
    typer.echo(f"{len(rows)} moved, {found['kept']} stay")
