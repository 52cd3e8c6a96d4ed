"""What reality changes in a plan: the problem as it is now, and afterwards what moved and why.

A new plan is made with the old one as ``before``: what runs stays, what is near may be frozen, and every move of the
rest costs a little.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from servitwin.domain.schedule.problem import Blocked, Machine, Objective, Placement, ScheduleProblem, predecessors
from servitwin.domain.schedule.reason import Reasons, Wait, span_words

GENTLE = Objective(makespan=1, tardiness=20, setup=2, moved=1, moved_machine=15)


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """What happened: a machine is down or up again, material comes late, an order is new, gone or changed."""

    kind: str
    id: str
    text: str


class Moved(msgspec.Struct, frozen=True, omit_defaults=True):
    """An operation that is elsewhere than before, and why.

    Attributes:
        later: ns that it starts later (negative: earlier).
        was, now: machines, where they differ.
        why: in words; ``order`` what is in its way, where it is another order.
    """

    order: str
    operation: str
    start_before: int
    start: int
    machine_before: str
    machine: str
    why: str

    @property
    def later(self) -> int:
        """Ns that it starts later than before."""
        return self.start - self.start_before


class Comparison(msgspec.Struct, frozen=True, omit_defaults=True):
    """Two plans side by side: what moved, what is new and what is gone."""

    moved: tuple[Moved, ...]
    added: tuple[tuple[str, str], ...]
    removed: tuple[tuple[str, str], ...]
    kept: int


def reality(
    problem: ScheduleProblem,
    plan: Sequence[Placement],
    now: int,
    *,
    started: Iterable[Placement] = (),
    freeze: int = 0,
    objective: Objective = GENTLE,
    assume: bool = True,
) -> ScheduleProblem:
    """The problem at ``now`` with a plan that holds: what runs is a fact, what begins within ``freeze`` ns stays.

    Args:
        problem: as it is known now (machines with their blocked time, stock and arrivals, all open orders).
        plan: that holds until now.
        now: ns UTC, the new start.
        started: what runs, with the ends that are expected now; without it, what the plan has running by now.
        freeze: operations of the plan that begin in [now, now + freeze) stay where they are, unless blocked time of
            their machine meets them or something before them has moved into their way.
        objective: what the new plan has to weigh.
        assume: without ``started``, what the plan has running by now does run.
    """
    known = {(o.id, s.id) for o in problem.orders for s in o.operations}
    facts = {p.key: msgspec.structs.replace(p, started=True) for p in started if p.key in known}
    if not facts and assume:
        facts = {p.key: msgspec.structs.replace(p, started=True) for p in plan if p.begin < now and p.key in known}
    machines = {m.id: m for m in problem.machines}
    people = {c.id: c.count for c in problem.crews}
    fixed = dict(facts)
    if freeze:
        for p in sorted(plan, key=lambda p: p.begin):
            near = now <= p.begin < now + freeze and p.key in known and p.machine in machines and p.key not in facts
            if (
                near
                and not _hit(p, machines[p.machine], people.get(p.crew, 0), fixed.values())
                and _led(problem, p, fixed)
            ):
                fixed[p.key] = p
    return msgspec.structs.replace(
        problem, start=now, fixed=tuple(fixed.values()), before=tuple(plan), objective=objective
    )


def _hit(p: Placement, machine: Machine, people: int, stay: Iterable[Placement]) -> bool:
    """Whether blocked time, or the machine or people of what stays, is in the way."""
    blocked: Iterable[Blocked] = machine.blocked
    if any(b.start < p.end and p.begin < b.end for b in blocked):
        return True
    meets = [f for f in stay if f.begin < p.end and p.begin < f.end]
    attended = sum(1 for f in meets if p.crew and f.crew == p.crew)
    return any(f.machine == p.machine for f in meets) or (p.crew != "" and attended >= people)


def _led(problem: ScheduleProblem, p: Placement, fixed: dict[tuple[str, str], Placement]) -> bool:
    """Whether everything before it stays too, and ends in time: else it cannot be promised that it stays."""
    order = next(o for o in problem.orders if o.id == p.order)
    before = [fixed.get((p.order, b)) for b in predecessors(order)[p.operation]]
    return all(q is not None and q.end <= p.start for q in before)


def compare(
    problem: ScheduleProblem, before: Sequence[Placement], after: Sequence[Placement], events: Sequence[Event] = ()
) -> Comparison:
    """What moved from one plan to the next, and why: the latest first.

    Each reason is followed from what is in the way to what is in its way, until it is none that moved: a machine that
    is down, material that is late, an order that was not there before.
    """
    old, new = {p.key: p for p in before}, {p.key: p for p in after}
    reasons = Reasons(problem, after)
    changed = {k for k in old.keys() & new.keys() if (old[k].start, old[k].machine) != (new[k].start, new[k].machine)}
    told = {e.id: e for e in events}
    moved = []
    for key in changed:
        was, now = old[key], new[key]
        why = "it runs as measured" if now.started else _why(key, reasons, old, new, told)
        moved.append(Moved(*key, was.start, now.start, was.machine, now.machine, why))
    return Comparison(
        tuple(sorted(moved, key=lambda m: (-m.later, m.order, m.operation))),
        tuple(sorted(new.keys() - old.keys())),
        tuple(sorted(old.keys() - new.keys())),
        len(old.keys() & new.keys()) - len(changed),
    )


def _why(
    key: tuple[str, str],
    reasons: Reasons,
    old: dict[tuple[str, str], Placement],
    new: dict[tuple[str, str], Placement],
    events: dict[str, Event],
) -> str:
    was, now = old[key], new[key]
    first = ""
    if was.machine != now.machine:
        first = f"{was.machine} would have been later: "
        if was.machine in events:
            first = f"{events[was.machine].text}: "
    if now.start <= was.start and not first:
        return f"{span_words(was.start - now.start)} earlier: there is room before it now"
    chain: list[str] = []
    seen: set[tuple[str, str]] = set()
    at = key
    while at not in seen and at in new:
        seen.add(at)
        reason = reasons.of(at)
        wait = _deciding(reason.waits)
        if wait is None:
            before = reasons.leads_to(at)
            if before is None:
                break
            chain.append(f"{'/'.join(before)} before it ends later")
            at = before
            continue
        if wait.kind == "busy" and (wait.order, wait.operation) in new:
            other = (wait.order, wait.operation)
            chain.append(f"{wait.what} does {wait.order}/{wait.operation} first")
            if other not in old:
                chain.append(f"{wait.order} was not planned before")
                break
            if old[other].start == new[other].start and old[other].machine == new[other].machine:
                break
            at = other
            continue
        chain.append(wait.words())
        break
    return first + ("; because ".join(chain[:4]) if chain else "the plan as a whole is better so")


def _deciding(waits: Sequence[Wait]) -> Wait | None:
    """The wait that ends last counts, but for shifts and set-ups where something else was waited for too."""
    real = [w for w in waits if w.kind not in {"shift", "setup", "planned"}]
    return max(real or list(waits), key=lambda w: w.end, default=None)
