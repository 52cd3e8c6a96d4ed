"""What robots say reaches the fleet here: late and impossible messages are told from those that count."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import msgspec

from servitwin.connectors.vda5050.desk import MID_WAY_M, Desk, nearest, node_of, places_beside
from servitwin.connectors.vda5050.fleet import Fleet
from servitwin.connectors.vda5050.message import FINAL, ConnectionWord, State
from servitwin.connectors.vda5050.plausible import why_impossible, why_outside
from servitwin.connectors.vda5050.read import Factsheet
from servitwin.domain.instant import MINUTE, format_instant

BELIEVED_AFTER = 3  # plausible reports in a row
RESTARTED_AFTER = 3  # messages that count up again from below: the robot has begun anew
CLOCK_AHEAD = MINUTE
TOLD_REFUSALS, LONGEST_RETRY_S = 4, 30.0


def hear_connection(fleet: Fleet, twin: str, word: ConnectionWord, now: int, clock: float, stamp: int = 0) -> None:
    """The broker or the robot says whether it is there.

    Args:
        fleet: its fleet.
        twin: who.
        word: what is said.
        now: ns UTC.
        clock: seconds that never jump.
        stamp: the robot's time of the word: a state that it sent before does not contradict it. From a clock far
            ahead it is our time of the word: set right, the clock would stay behind it for ever.
    """
    desk = fleet.desk(twin)
    desk.connection_at = stamp if stamp <= now + CLOCK_AHEAD else now
    before, desk.connection = desk.connection, word
    if word in ("ONLINE", "HIBERNATING"):
        desk.heard = clock
    if word == "ONLINE" and desk.state is not None:
        desk.late = (-1, RESTARTED_AFTER)  # its counters and its clock may begin anew
    if word == "HIBERNATING" and before != word:
        fleet.events.note(now, "hibernating", f"{twin} hibernates: its silence is no fault.", robot=twin)


def hear_factsheet(fleet: Fleet, twin: str, sheet: Factsheet) -> None:
    """A robot says what it is: how fast it can drive counts for plans until its ways were measured."""
    fleet.paces.said(fleet.desk(twin).twin, sheet.fastest)


def hear_state(fleet: Fleet, twin: str, state: State, now: int, clock: float) -> str:
    """A state message.

    Returns:
        Why it cannot be true, for people; empty if it counts, or came late or twice and changes nothing.
    """
    desk = fleet.desk(twin)
    if _is_late(desk, state):
        return ""
    waited = clock - desk.heard if desk.heard else 60.0
    desk.heard = clock
    if state.stamp > desk.connection_at:
        desk.connection = "ONLINE"
    moved_by_hand = state.automatic and desk.state is not None and not desk.state.automatic
    why = why_outside(fleet.graph, state)
    if not why and state.automatic:
        fastest = fleet.limits.fastest_m_s
        why = why_impossible(fleet.graph, desk, state, waited, fastest, by_hand=moved_by_hand)
    if why:
        _doubt(fleet, desk, why, now)
        if desk.state is not None:  # keep what is believed of it, but know that it speaks
            desk.state = _with_new_marks(desk.state, state)
        else:
            desk.state = state
        return why
    if desk.doubt:
        desk.plausible += 1
        if desk.plausible < BELIEVED_AFTER:
            return ""
        fleet.events.note(
            now, "trusted", f"{twin} is believed again: its last {BELIEVED_AFTER} positions fit.", robot=twin
        )
        desk.doubt = ""
        fleet.check.forget(twin)
    desk.state = state
    if not state.automatic:
        return ""
    if moved_by_hand:
        _place_anew(fleet, desk, state, now)
    _follow(fleet, desk, state, now)
    return ""


def watch_state(fleet: Fleet, twin: str, state: State, now: int, clock: float) -> str:
    """A state message of a robot that another master steers: it is shown, and nothing follows from it.

    Returns:
        Why it cannot be true, for people; empty if it can, or came late.
    """
    desk = fleet.desk(twin)
    if _is_late(desk, state):
        return ""
    why = why_outside(fleet.graph, state)
    if not why:
        desk.heard, desk.state = clock, state
        if state.stamp > desk.connection_at:
            desk.connection = "ONLINE"
    return why


def _with_new_marks(old: State, new: State) -> State:
    return msgspec.structs.replace(old, header=new.header, stamp=new.stamp, errors=new.errors, mode=new.mode)


def _is_late(desk: Desk, state: State) -> bool:
    """A message that was overtaken, or came twice. A robot that has restarted counts from the start again."""
    before = desk.state
    if before is None or state.header > before.header:
        desk.late = (-1, 0)
        return False
    if state.header == before.header and state.stamp == before.stamp:
        return True
    last, row = desk.late
    row = row + 1 if state.header > last else 1
    desk.late = (state.header, row)
    if state.stamp > before.stamp or row > RESTARTED_AFTER:
        desk.late = (-1, 0)
        return False
    return True


def _doubt(fleet: Fleet, desk: Desk, why: str, now: int) -> None:
    desk.plausible = 0
    if not desk.doubt:
        desk.doubt = why
        text = f"{desk.twin} is not believed any more: {why}. It keeps its places and gets no further order "
        text += "until three reports fit, or a person has looked."
        fleet.events.note(now, "impossible-position", text, weight="alarm", robot=desk.twin)


def _place_anew(fleet: Fleet, desk: Desk, state: State, now: int) -> None:
    """Find out on which place a robot stands that has no order of ours."""
    graph = fleet.graph
    near, far = (nearest(graph, state.position.x, state.position.y)) if state.position else (-1, 1e9)
    if far > 1.0 and state.last_node not in graph.index:
        if desk.told != "unplaced":
            desk.told = "unplaced"
            text = f"{desk.twin} stands on no place of the map: a person has to drive it to one."
            fleet.events.note(now, "unplaced", text, weight="warning", robot=desk.twin)
        return
    at = near if far <= 1.0 else graph.index[state.last_node]
    released = [graph.index[n.id] for n in state.nodes if n.released and n.id in graph.index]
    # Between two places it is in the way at both, until it says that it stands on one.
    between = places_beside(graph, at, state.position.x, state.position.y) if state.position else []
    before = list(fleet.right.held.get(desk.twin, ()))
    taken = fleet.right.take(desk.twin, [*between, at, *released])
    if taken:
        fleet.right.take(desk.twin, before)  # it keeps what it had: one of the two is wrong
        _contradiction(fleet, desk, taken[0], now)
        return
    for other in fleet.desks.values():
        other.pauses.discard(f"place-of-{desk.twin}")
    desk.begin_at(node_of(graph, at, 0, released=True))
    fleet.check.forget(desk.twin)
    desk.told = ""
    if state.nodes:  # an order of somebody else, or of a life of the master that is forgotten: it is ended first
        desk.base = [node_of(graph, at, 0, released=True), *(node_of(graph, p, 0, released=True) for p in released)]
        desk.cancel = fleet.new_id("cancel")
        desk.cancel_sent = 0.0
    fleet.events.note(now, "placed", f"{desk.twin} stands at {graph.ids[at]}.", robot=desk.twin, place=graph.ids[at])


def _contradiction(fleet: Fleet, desk: Desk, place: int, now: int) -> None:
    """A robot appears where another one is, or was released to: that one stops, and gives up what lies before it."""
    holder = fleet.right.holder(place)
    other = fleet.desks.get(holder or "")
    if other is None or desk.told == "contradiction":
        return
    desk.told = "contradiction"
    name = fleet.graph.ids[place]
    other.pauses.add(f"place-of-{desk.twin}")
    text = f"{desk.twin} says that it is at {name}, which {holder} holds. {holder} stops"
    if fleet.right.held[other.twin][0] == place:
        text += ": both say that they stand there. A person has to look."
    else:
        text += " and gives its order up."
        if other.order_id and not other.cancel:
            other.cancel, other.cancel_sent = fleet.new_id("cancel"), 0.0
    fleet.events.note(now, "place-contradiction", text, weight="alarm", robot=desk.twin, place=name)


def _follow(fleet: Fleet, desk: Desk, state: State, now: int) -> None:
    """Bring what is known of its order up to what it says."""
    if not desk.base:
        _place_anew(fleet, desk, state, now)
        return
    ours = bool(desk.order_id) and state.order_id == desk.order_id
    if ours:
        if state.update_id >= desk.update:
            desk.taken, desk.refused = True, 0
        before = desk.base[0].id
        passed = desk.passed(state.last_sequence, state.last_node)
        _time_way(fleet, desk, state, [before, *(passed or [])])
        if passed or (passed is not None and _stands_on(fleet, state)):
            fleet.right.left(desk.twin, fleet.graph.index[state.last_node])
        _check(fleet, desk, state, now, passed or [])
        _follow_job(fleet, desk, state, now)
    elif desk.order_id and desk.taken and not state.nodes and not state.driving:
        text = f"{desk.twin} has forgotten order {desk.order_id} (it was started again, perhaps): it gets a new one."
        fleet.events.note(now, "order-forgotten", text, weight="warning", robot=desk.twin)
        _place_anew(fleet, desk, state, now)
    if desk.cancel:
        _follow_cancel(fleet, desk, state, now)
    elif not desk.taken:
        _follow_refusal(fleet, desk, state, now)


def _time_way(fleet: Fleet, desk: Desk, state: State, ways: Sequence[str]) -> None:
    """Measure how fast it drives, where nothing holds it up."""
    held_up = desk.pauses or desk.cancel or state.paused or state.field_violation or state.errors or desk.doubt
    if held_up:
        fleet.paces.stopped(desk.twin)
    if len(ways) < 2:
        return
    graph = fleet.graph
    driven = [(graph.index[a], graph.index[b]) for a, b in itertools.pairwise(ways)]
    pace = fleet.paces.of(desk.twin)
    if any(graph.limited(*way, pace) for way in driven):  # how fast the way is, not how fast the robot
        fleet.paces.stopped(desk.twin)
    metres = sum(graph.length.get(way, 0.0) for way in driven)
    free = len(desk.base) > 1 and not held_up
    works = len(desk.base) == 1 and bool(desk.job)
    fleet.paces.passed(desk.twin, state.stamp, metres, free=free, works=works)


def _follow_job(fleet: Fleet, desk: Desk, state: State, now: int) -> None:
    """The action its goal asked for: done, or failed."""
    action = state.action(desk.job) if desk.job else None
    if action is None or action.status not in ("FINISHED", "FAILED"):
        return
    desk.job = ""
    if action.type in ("pick", "drop"):
        fleet.paces.worked(desk.twin, state.stamp)
    if desk.charger is not None and action.type == "startCharging":
        if action.status == "FAILED":
            fleet.events.note(
                now, "charging-failed", f"{desk.twin} cannot charge: {action.result}", weight="alarm", robot=desk.twin
            )
            desk.charger = None
        return
    task = fleet.tasks.of(desk.twin)
    if task is None:
        return
    if action.status == "FAILED":
        if desk.cancel:
            return
        task.state, task.ended = "failed", now
        task.reason = f"{desk.twin} could not {action.type}: {action.result or 'it gives no reason'}"
        fleet.events.note(now, "task-failed", f"Task {task.id} failed: {task.reason}.", weight="alarm", robot=desk.twin)
    elif task.state == "assigned":
        task.state, task.loaded = "loaded", now
        fleet.events.note(
            now, "loaded", f"{desk.twin} has {task.load or 'the load'} of {task.origin} on board.", robot=desk.twin
        )
    else:
        task.state, task.ended, task.reason = "done", now, ""
        text = f"{desk.twin} has brought {task.load or 'the load'} to {task.target}."
        if task.due is not None and now > task.due:
            text += f" That is late: it was due at {format_instant(task.due)}."
        fleet.events.note(now, "delivered", text, robot=desk.twin)


def _follow_cancel(fleet: Fleet, desk: Desk, state: State, now: int) -> None:
    action = state.action(desk.cancel)
    # Who has nothing to cancel says so by an error; whether it lists the action as failed as well is left to it.
    none = any("CANCEL" in e.type.upper() and e.references.get("actionId") == desk.cancel for e in state.errors)
    ended = action.status in FINAL if action is not None else none
    if not ended or state.nodes or state.driving:
        return
    done = state.action(desk.job) if desk.job else None
    if done is not None and done.status == "FINISHED":
        _follow_job(fleet, desk, state, now)
    _stands_again(fleet, desk, state)
    fleet.events.note(
        now, "order-cancelled", f"{desk.twin} has given its order up and stands at {desk.base[0].id}.", robot=desk.twin
    )


def _stands_again(fleet: Fleet, desk: Desk, state: State) -> None:
    """After a cancelled order: it holds the place it stands on; between two places it holds both."""
    graph = fleet.graph
    last = graph.index.get(state.last_node)
    if last is None:
        last = graph.index[desk.base[0].id]
    places = [last]
    p = state.position
    if p is not None and len(desk.base) > 1 and math.hypot(graph.x[last] - p.x, graph.y[last] - p.y) > MID_WAY_M:
        places = [*(graph.index[n.id] for n in desk.base[1:2]), last]
    fleet.right.take(desk.twin, places)
    desk.begin_at(node_of(graph, last, 0, released=True))


def _follow_refusal(fleet: Fleet, desk: Desk, state: State, now: int) -> None:
    """It has refused what was sent last: the order is ended, and it gets a fresh one."""
    for error in state.errors:
        mine = error.references.get("orderId") == desk.order_id
        if mine and error.references.get("orderUpdateId") == str(desk.update):
            why = error.description or error.type
            text = f"{desk.twin} refuses order {desk.order_id}, update {desk.update}: {why}. "
            desk.refused += 1
            pause = min(2.0**desk.refused, LONGEST_RETRY_S)
            desk.retry_at = desk.heard + pause
            if desk.refused < TOLD_REFUSALS:
                text += "The order is ended, it gets a new one."
                fleet.events.note(now, "order-refused", text, weight="warning", robot=desk.twin)
            elif desk.refused == TOLD_REFUSALS:
                text += f"It has refused {TOLD_REFUSALS} in a row: it gets one every {LONGEST_RETRY_S:.0f} s."
                fleet.events.note(now, "order-refused", text, weight="alarm", robot=desk.twin)
            if state.nodes or state.driving or any(a.status not in FINAL for a in state.actions):
                desk.cancel, desk.cancel_sent = fleet.new_id("cancel"), 0.0
            else:
                _stands_again(fleet, desk, state)
            return


def _stands_on(fleet: Fleet, state: State) -> bool:
    """Whether it is at its last node, or has no position to say otherwise."""
    p, last = state.position, fleet.graph.index[state.last_node]
    return p is None or math.hypot(fleet.graph.x[last] - p.x, fleet.graph.y[last] - p.y) <= MID_WAY_M


def _check(fleet: Fleet, desk: Desk, state: State, now: int, passed: Sequence[str]) -> None:
    """The independent checker looks at what was really driven."""
    p = state.position
    if p is None:
        return
    ahead = state.nodes[0].id if state.nodes and state.nodes[0].released and state.driving else ""
    shut: set[str] = set()
    released: set[str] = set()
    for zone in fleet.zones.values():
        shut |= {*zone.places}
        released |= fleet.on_the_way.get(zone.id, {}).get(desk.twin, set())
    found = fleet.check.seen(
        desk.twin, state.stamp, state.last_node, p.x, p.y,
        passed=passed[:-1], heading_for=ahead, closed=shut, released=released,
    )  # fmt: skip
    for conflict in found:
        fleet.conflicts = [*fleet.conflicts[-99:], conflict]
        who = " and ".join(conflict.robots)
        text = f"The checker found a conflict of {who} at {conflict.where}: {conflict.kind} {conflict.detail}"
        fleet.events.note(now, "conflict", text, weight="alarm", robot=desk.twin, place=conflict.where)
