"""Commands for remaining life: of a machine, of the fleet, and the models behind it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from servitwin.cli.node import FINDING, DataOption, JsonOption, ToOption, connect, handled, print_json, print_table


def add(app: typer.Typer) -> None:
    """Add the group ``life``."""
    life = typer.Typer(help="Remaining life of machines' components.", no_args_is_help=True)
    life.command("show", help="Show what is left of a machine's components, and why. Exit code 1 if one is due.")(
        handled(show)
    )
    life.command("fleet", help="List the components of all machines, the most urgent first.")(handled(fleet))
    life.command("models", help="List models in use, who may teach them, and whether they still hold.")(handled(models))
    life.command("train", help="Learn from all lives that ended on machines whose users agreed.")(handled(train))
    life.command("failures", help="List models of failures within days, who may teach them, and whether they hold.")(
        handled(failures)
    )
    life.command("train-failures", help="Learn failures from the history of machines whose users agreed.")(
        handled(train_failures)
    )
    app.add_typer(life, name="life")


def show(
    twin: Annotated[str, typer.Argument(help="Id of the machine")],
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """What is left of a machine's components."""
    with connect(data, to) as node:
        found = node.remaining_life(twin)
    if as_json:
        print_json(found)
    else:
        for c in found:
            typer.echo(f"{c['component']}: {_left(c)}; {c['what_to_do']}")
            why = c["learnt"] or c["failure"] or c["wear"] or {"doubts": []}
            told = [r if isinstance(r, str) else r["text"] for r in why.get("reasons", [])]
            for line in told + [d["message"] for d in why["doubts"]]:
                typer.echo(f"  {line}")
            if c["worth"]:
                typer.echo(f"  {_worth(c['worth'])}")
    if any(c["urgency"] == "now" for c in found):
        raise typer.Exit(FINDING)


def fleet(
    urgency: Annotated[str, typer.Option(help="Only these, as now,soon")] = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """All components, the most urgent first."""
    with connect(data, to) as node:
        found = node.remaining_life(urgency=urgency)
    if as_json:
        print_json(found)
        return
    rows = [(c["urgency"], c["twin"], c["component"], _left(c), c["what_to_do"]) for c in found]
    print_table(("urgency", "machine", "component", "left", "what to do"), rows)


def models(
    party: Annotated[str, typer.Option(help="Company whose models; default: yours")] = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Models in use."""
    with connect(data, to) as node:
        found = node.life_models(party)
    if as_json:
        print_json(found)
        return
    rows = []
    for m in found:
        known = m["summary"]
        error = f"{known['quality']['rmse']:.3g} {known['life_unit']}" if known else "-"
        simple = f"{known['simple']['rmse']:.3g}" if known else "-"
        covers = f"{known['quality']['coverage']:.0%} of {known['confidence']:.0%}" if known else "-"
        teach = f"{sum(t['permitted'] for t in m['teachers'])} of {len(m['teachers'])}"
        rows.append(
            (m["machine_type"], m["component"], error, simple, covers, teach, (m["drift"] or {"text": "-"})["text"])
        )
    print_table(("type", "component", "error", "by age", "covers", "may teach", "drift"), rows)


def train(
    machine_type: Annotated[str, typer.Argument(help="Name of the machine type")],
    component: Annotated[str, typer.Argument(help="Component that is followed")],
    party: Annotated[str, typer.Option(help="Company whose model; default: yours")] = "",
    preventive: Annotated[str, typer.Option(help="Cost of a planned replacement, as 45.00")] = "",
    failure: Annotated[str, typer.Option(help="Cost of a failure")] = "",
    currency: Annotated[str, typer.Option(help="Of both costs, as EUR")] = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask for a training."""
    with connect(data, to) as node:
        costs = {"preventive_cost": preventive, "failure_cost": failure, "currency": currency}
        job = node.train_life(machine_type, component, party=party, **costs)
    _waits(job, as_json)


def failures(
    party: Annotated[str, typer.Option(help="Company whose models; default: yours")] = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Models of failures within days."""
    with connect(data, to) as node:
        found = node.failure_models(party)
    if as_json:
        print_json(found)
        return
    rows = []
    for m in found:
        known, may = m["summary"], [t for t in m["teachers"] if t["permitted"]]
        area = f"{known['judgement']['score']:.2f} ({known['judgement']['chance']:.3f})" if known else "-"
        learnt = f"{sum(known['failures'].values())} failures, {known['machines']} machines" if known else "-"
        counts = ", ".join(f"{c} {n}" for c, n in m["failures"].items()) or "-"
        drift = (m["drift"] or {"text": "-"})["text"]
        rows.append((m["machine_type"], area, learnt, f"{len(may)} of {len(m['teachers'])}", counts, drift))
    print_table(("type", "area (chance)", "learnt from", "may teach", "failures that may", "drift"), rows)


def train_failures(
    machine_type: Annotated[str, typer.Argument(help="Name of the machine type")],
    party: Annotated[str, typer.Option(help="Company whose model; default: yours")] = "",
    horizon: Annotated[int | None, typer.Option(help="Days; default: of the model in use, else 2")] = None,
    preventive: Annotated[str, typer.Option(help="Cost of a planned replacement, as 45.00")] = "",
    failure: Annotated[str, typer.Option(help="Cost of a failure")] = "",
    currency: Annotated[str, typer.Option(help="Of both costs, as EUR")] = "",
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask for a training of failures within days."""
    with connect(data, to) as node:
        costs = {"preventive_cost": preventive, "failure_cost": failure, "currency": currency}
        job = node.train_failures(machine_type, party=party, horizon_days=horizon, **costs)
    _waits(job, as_json)


def _waits(job: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(job)
    else:
        typer.echo(f"job {job['id']} {job['state']}; see servitwin jobs show {job['id']}")


def _left(c: dict[str, Any]) -> str:
    learnt, spectrum, failure = c["learnt"], c["spectrum"], c["failure"]
    if failure is not None and failure["chance"] is not None:
        return f"{failure['chance']:.1%} chance to fail within {failure['horizon_days']} days"
    if c["wear"] is not None:
        w = c["wear"]
        judged = f"of {w['tools']} tools known, {w['sure']} told alone from the others, {w['right']} rightly"
        return f"{w['text']} ({judged})"
    if spectrum is not None:
        return f"{spectrum['remaining']:.1%} of the design life"
    if learnt is None or not learnt["known"]:
        return "not known"
    if learnt["at_least"]:
        return f"at least {learnt['low']:.0f} {learnt['unit']}"
    return f"{learnt['low']:.0f} to {learnt['high']:.0f} {learnt['unit']}"


def _worth(w: dict[str, Any]) -> str:
    """What acting is worth, in one line."""
    money = w["currency"] or "planned replacements"
    others = f"{w['by_age']} at the best age, {w['waiting']} when waiting"
    return f"acting costs {w['acting']} ({w['acting_low']} to {w['acting_high']}) {money} per {w['per']}; {others}"
