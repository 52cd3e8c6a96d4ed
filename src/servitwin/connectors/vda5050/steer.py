"""The master's step: look after what went wrong, give tasks, plan, release, and say it to the robots."""

from __future__ import annotations

import time
from collections.abc import Mapping

from servitwin.connectors.vda5050 import troubles
from servitwin.connectors.vda5050.arrival import note_arrivals
from servitwin.connectors.vda5050.desk import OUT_OF_PLAN, Desk
from servitwin.connectors.vda5050.fleet import Fleet, Say
from servitwin.connectors.vda5050.message import Action
from servitwin.connectors.vda5050.work import give_work, goals_of, job_of
from servitwin.domain.fleet.distances import FAR

STEPS = 10  # steps planned
HORIZON = 5  # places foretold behind the base
RESEND_S, TRIES = 3.0, 6
CANCEL_AGAIN_S = 5.0
STANDSTILL_S = 40.0
GRACE_S = 12.0  # after a start nobody is released before all robots have been heard, or for so long
ASK_S = 4.0
SHEET_AGAIN_S, SHEET_TRIES = 15.0, 2  # a factsheet that did not come by itself is asked for; some robots have none


def step(fleet: Fleet, now: int, clock: float) -> list[Say]:
    """Everything that has to be said to robots now. ``now``: ns UTC; ``clock``: seconds that never jump.

    What it decides must be written down (:meth:`Fleet.to_keep`) before anything is sent.
    """
    began = time.perf_counter()
    conditions = {t: d.condition(clock, fleet.limits.silent_s) for t, d in fleet.desks.items()}
    troubles.look_after(fleet, conditions, now)
    fleet.planner.close(_closed(fleet, conditions))
    give_work(fleet, conditions, now, clock)
    says = _actions(fleet, conditions, clock)
    if not _all_heard(fleet, conditions, now, clock, says):
        return says
    says += _move(fleet, conditions, now, clock)
    says += _again(fleet, now, clock)
    fleet.planned_ms = (time.perf_counter() - began) * 1000
    return says


def _all_heard(fleet: Fleet, conditions: Mapping[str, str], now: int, clock: float, says: list[Say]) -> bool:
    """Whether it is known where robots stand; who has not been heard is asked for its state."""
    if fleet.began is None:
        fleet.began = clock
    if fleet.heard_all:
        return True
    away = ("OFFLINE", "CONNECTION_BROKEN")
    missing = [d for t, d in fleet.desks.items() if conditions[t] == "unseen" and d.connection not in away]
    if missing and clock - fleet.began < GRACE_S:
        if clock - fleet.asked >= ASK_S:
            fleet.asked = clock
            says += [Say(d.robot, None, (Action("stateRequest", fleet.new_id("state")),)) for d in missing]
        return False
    fleet.heard_all = True
    for desk in missing:
        held = fleet.right.held.get(desk.twin)
        where = f" It keeps {', '.join(fleet.graph.ids[p] for p in held)}." if held else ""
        text = f"{desk.twin} has not been heard since the master was started.{where}"
        fleet.events.note(now, "robot-unseen", text, weight="warning", robot=desk.twin)
    return True


def _closed(fleet: Fleet, conditions: Mapping[str, str]) -> frozenset[int]:
    """Places to plan around: closed zones, and what robots hold that do not move. Who is in a zone finds a way out."""
    zones = fleet.closed()
    stuck = {p for t, c in conditions.items() if c in OUT_OF_PLAN for p in fleet.right.held.get(t, ())}
    ways_out: set[int] = set()
    for twin, held in fleet.right.held.items():
        if conditions.get(twin) not in OUT_OF_PLAN and held and held[-1] in zones:
            ways_out |= _way_out(fleet, held[-1], zones)
    return (zones - ways_out) | frozenset(stuck)


def _way_out(fleet: Fleet, place: int, zones: frozenset[int]) -> set[int]:
    """Places of the shortest way out of the closed ones."""
    came: dict[int, int] = {place: place}
    layer = [place]
    while layer:
        following = []
        for v in layer:
            for w in fleet.graph.out[v]:
                if w in came:
                    continue
                came[w] = v
                if w not in zones:
                    path, back = {place}, w
                    while back != place:
                        path.add(back)
                        back = came[back]
                    return path
                following.append(w)
        layer = following
    return {place}


def _actions(fleet: Fleet, conditions: Mapping[str, str], clock: float) -> list[Say]:
    """Instant actions: pause, drive on, cancel, end of charging."""
    says = []
    for twin, desk in fleet.desks.items():
        if conditions[twin] in ("unseen", "lost", "hibernating") or desk.state is None:
            continue
        if bool(desk.pauses) != desk.state.paused and clock - desk.pause_sent > RESEND_S:
            desk.pause_sent = clock
            word = "startPause" if desk.pauses else "stopPause"
            says.append(Say(desk.robot, None, (Action(word, fleet.new_id(word)),)))
        if desk.cancel and clock - desk.cancel_sent > CANCEL_AGAIN_S:
            desk.cancel_sent = clock
            says.append(Say(desk.robot, None, (Action("cancelOrder", desk.cancel),)))
        charged = desk.charger is None or desk.state.battery >= fleet.limits.full
        if desk.state.charging and charged and clock - desk.unplug_sent > RESEND_S:
            desk.charger, desk.unplug_sent = None, clock
            says.append(Say(desk.robot, None, (Action("stopCharging", fleet.new_id("stop-charging")),)))
        if _lacks_sheet(fleet, desk, clock):
            desk.sheet_sent, desk.sheet_tries = clock, desk.sheet_tries + 1
            says.append(Say(desk.robot, None, (Action("factsheetRequest", fleet.new_id("factsheet")),)))
    return says


def _lacks_sheet(fleet: Fleet, desk: Desk, clock: float) -> bool:
    """Whether a robot is to be asked for its factsheet: that comes unacknowledged, and may have been lost."""
    pace = fleet.paces.known.get(desk.twin)
    if (pace is not None and pace.says) or desk.sheet_tries >= SHEET_TRIES or fleet.began is None:
        return False
    return clock - max(fleet.began, desk.sheet_sent) > SHEET_AGAIN_S


def _move(fleet: Fleet, conditions: Mapping[str, str], now: int, clock: float) -> list[Say]:
    at = {
        t: h[-1]
        for t, h in fleet.right.held.items()
        if h and conditions.get(t) not in OUT_OF_PLAN and fleet.desks[t].base
    }
    goals = goals_of(fleet, at, conditions)
    held = {t for t in at if _keeps_still(fleet.desks[t], conditions[t], clock)}
    _say_unreachable(fleet, at, goals, now)
    paces = {t: fleet.paces.of(t) for t in at}
    ways = {t: fleet.coming(t, clock, stopped=conditions[t] != "ready") for t in at}
    coming = {t: c for t, c in ways.items() if c is not None}
    fleet.plans = fleet.planner.plan(at, goals, held, STEPS, paces=paces, coming=coming)
    note_arrivals(fleet, goals, now)
    closed = fleet.closed()
    fewer = _places_ahead(fleet, paces)
    inside = {t for t, p in at.items() if p in closed}
    given = fleet.right.release(
        {t: p for t, p in fleet.plans.items() if t not in inside},
        ahead=fleet.limits.ahead, fewer=fewer, still=held, closed=closed,
    )  # fmt: skip
    given |= fleet.right.release({t: p for t, p in fleet.plans.items() if t in inside}, ahead=1, still=held)
    says = []
    for twin in at:
        desk = fleet.desks[twin]
        said = _order(fleet, desk, given.get(twin, []), goals.get(twin), twin in held)
        if said is not None:
            desk.sent_at = clock
            says.append(said)
        _note_waiting(fleet, desk, goals.get(twin), twin in given, now, clock)
    return says


def _places_ahead(fleet: Fleet, paces: Mapping[str, float]) -> dict[str, int]:
    """Places that slow robots get ahead: for as long as the fastest has its own, but so many that they drive on."""
    fastest = max(paces.values(), default=1.0)
    return {t: max(min(fleet.limits.ahead, 2), round(fleet.limits.ahead * pace / fastest)) for t, pace in paces.items()}


def _keeps_still(desk: Desk, condition: str, clock: float) -> bool:
    """Whether it gets nothing further now: it works at its goal, or has not said yet that it has the last update."""
    return (
        condition != "ready"
        or not desk.taken
        or clock < desk.retry_at
        or bool(desk.job)
        or (desk.state is not None and desk.state.charging)  # "to send a new order" it is told to stop charging first
    )


def _order(fleet: Fleet, desk: Desk, places: list[int], goal: int | None, held: bool) -> Say | None:
    """What it is told: a longer base, an action where it stands, or nothing."""
    if held:
        return None
    end = places[-1] if places else fleet.graph.index[desk.base[-1].id]
    jobs = job_of(fleet, desk) if goal is not None and end == goal else ()
    standing = not places
    if standing and not jobs:
        if desk.horizon and goal is None and desk.order_id:  # nothing follows any more: the robot need not wait for it
            return Say(desk.robot, desk.order_for(fleet.graph, [], [], [], ""))
        return None
    fresh = not desk.order_id or desk.complete
    if standing and not fresh:
        return None  # an action is never added to a node that was sent before
    plan = fleet.plans.get(desk.twin, [])
    after = plan.index(end) + 1 if end in plan else len(plan)
    horizon: list[int] = []
    for place in plan[after:]:
        last = horizon[-1] if horizon else end
        if place != last:
            horizon.append(place)
    mine = fleet.right.held[desk.twin]
    behind = mine[: mine.index(fleet.graph.index[desk.base[-1].id])] if fresh else []
    id = fleet.new_id(desk.twin) if fresh else ""
    order = desk.order_for(
        fleet.graph, places, [] if jobs else horizon[:HORIZON], jobs, id, behind[-1] if behind else None
    )
    if jobs:
        desk.job = jobs[0].id
    return Say(desk.robot, order)


def _again(fleet: Fleet, now: int, clock: float) -> list[Say]:
    """Orders are sent with quality of service 0: what a robot has not said that it has is sent again as it was."""
    says = []
    for desk in fleet.desks.values():
        if desk.taken or desk.sent is None or desk.cancel or clock - desk.sent_at < RESEND_S:
            continue
        if desk.state is None or not desk.state.automatic or desk.connection in ("OFFLINE", "CONNECTION_BROKEN"):
            continue
        desk.sent_at = clock
        desk.tries += 1
        says.append(Say(desk.robot, desk.sent))
        if desk.tries == TRIES:
            text = f"{desk.twin} does not say that it has order {desk.order_id}, update {desk.update}, "
            text += f"sent {TRIES} times. It is sent on."
            fleet.events.note(now, "order-unanswered", text, weight="warning", robot=desk.twin)
    return says


def _say_unreachable(fleet: Fleet, at: dict[str, int], goals: dict[str, int], now: int) -> None:
    """A goal behind closed places is told once, and given up until there is a way."""
    for twin, goal in list(goals.items()):
        desk = fleet.desks[twin]
        if fleet.planner.distances.to(goal)[at[twin]] < FAR:
            if desk.told == "no-way":
                desk.told = ""
                fleet.events.note(now, "way-again", f"{twin} has a way to {fleet.graph.ids[goal]} again.", robot=twin)
            continue
        del goals[twin]
        if desk.told != "no-way":
            desk.told = "no-way"
            names = ", ".join(fleet.zones) or "robots that stand still"
            text = (
                f"{twin} finds no way to {fleet.graph.ids[goal]} while {names} are in between: it waits and makes way."
            )
            fleet.events.note(now, "no-way", text, weight="warning", robot=twin, place=fleet.graph.ids[goal])
        desk.waits = f"no way to {fleet.graph.ids[goal]}"


def _note_waiting(fleet: Fleet, desk: Desk, goal: int | None, moves: bool, now: int, clock: float) -> None:
    """Why a robot with a goal does not get on; a standstill without a cause is told."""
    if goal is None or moves or desk.job or len(desk.base) > 1 or fleet.graph.index[desk.base[-1].id] == goal:
        desk.blocked_since = None
        if desk.told != "no-way":
            desk.waits = ""
        return
    if desk.blocked_since is None:
        desk.blocked_since = clock
    plan = fleet.plans.get(desk.twin, [])
    following = next((p for p in plan if p != fleet.graph.index[desk.base[-1].id]), None)
    holder = fleet.right.holder(following) if following is not None else None
    desk.waits = (
        f"waits for {holder} to leave {fleet.graph.ids[following]}" if holder and following is not None else "makes way"
    )
    if clock - desk.blocked_since > STANDSTILL_S:
        desk.blocked_since = clock
        text = f"{desk.twin} has not moved for {STANDSTILL_S:.0f} s: it {desk.waits}."
        fleet.events.note(now, "standstill", text, weight="warning", robot=desk.twin, place=desk.base[-1].id)
