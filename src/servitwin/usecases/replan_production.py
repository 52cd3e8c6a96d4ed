"""A new production plan is asked for by itself when reality is no longer what the published one was made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from servitwin.domain.error import InvalidInputError
from servitwin.domain.instant import NS
from servitwin.domain.job import Job
from servitwin.domain.party import Actor
from servitwin.domain.register import RegisterEntry
from servitwin.domain.schedule.master_data import KeptPlan, Replanning
from servitwin.domain.schedule.problem import ScheduleProblem
from servitwin.usecases.plan_production import PUBLISHED, PlanProduction, Tell
from servitwin.usecases.ports import Records

ENTRY = "production"
SETTLE, LONGEST = 2 * NS, 10 * NS
"""Registers are read once nothing was written in them for a while (an import is one change, not a thousand), at last
after the longer one."""
MOST_WORDS = 10
_WORDS = {
    "orders": "order", "routings": "routing of", "materials": "material", "crews": "crew",
    "workplaces": "workplace", "blocked_times": "blocked time",
}  # fmt: skip
States = Callable[[str], Mapping[str, int | None]]
"""Machines of a party whose state is known: since when they are down by it (ns UTC), None: they are not."""


class Basis(msgspec.Struct, frozen=True):
    """What the newest plan, published or asked for, was made of.

    Attributes:
        key, at: which plan, and when (ns UTC).
        machines: that it plans.
        back: until when it takes machines for down that are; ``by_state`` are those that said so themselves.
    """

    key: str
    at: int
    machines: frozenset[str]
    back: Mapping[str, int]
    by_state: frozenset[str]


class ReplanProduction:
    """Looks at each party that wants it. What it asks for is a proposal: nobody's published plan changes by itself.

    What has changed is what the newest plan was not made of: register entries that were written after it, and machines
    that it takes for down or not. So a restart forgets nothing, and whoever asks by hand is not answered twice.
    """

    def __init__(self, records: Records, now: Callable[[], int]) -> None:
        self._records, self._now = records, now
        self._bases: dict[str, Basis] = {}
        self._answered: dict[str, list[str]] = {}  # what was said of machines when a plan was asked for or refused
        self._refused: dict[str, int] = {}  # when there was no problem to solve; until something else changes
        self._unsettled: dict[str, int] = {}  # since when registers have been written

    def round(self, plans: PlanProduction, states: States, tell: Tell) -> list[Job]:
        """Ask where something has changed; ``tell`` hears why, or why there can be no plan. Returns what was asked."""
        parties = [p.id for p in self._records.parties()]
        asked = []
        for wish in self._records.register_entries("replanning", parties):
            how, party = msgspec.convert(wish.body, Replanning), wish.party
            published = self._records.register_entry("production_plans", party, PUBLISHED)
            if wish.id != ENTRY or not how.on or published is None or published.removed:
                continue
            known, basis = states(party), self._basis(plans, published)
            machines = self._machines(party, basis, known)
            why = machines + self._written(party, basis, at_once=bool(machines))
            if why:
                down = {id: since for id, since in known.items() if since is not None}
                job = self._ask(plans, tell, party, how, down, why)
                self._answered[party] = machines
                asked += [] if job is None else [job]
        return asked

    def _basis(self, plans: PlanProduction, published: RegisterEntry) -> Basis:
        party = published.party
        job = plans.newest_job(party)
        later = job is not None and job.at > published.at
        key = job.id if job is not None and later else f"{PUBLISHED} {published.revision}"
        basis = self._bases.get(party)
        if basis is None or basis.key != key:
            problem = (
                plans.asked(job) if job is not None and later else msgspec.convert(published.body, KeptPlan).problem
            )
            at = job.at if job is not None and later else published.at
            basis = self._bases[party] = _basis_of(key, at, problem)
        return basis

    def _machines(self, party: str, basis: Basis, known: Mapping[str, int | None]) -> list[str]:
        """What machines say that the plan does not know; nothing where that was answered already."""
        now, told = self._now(), []
        for id in sorted(basis.machines & known.keys()):
            if known[id] is None and id in basis.by_state:
                told.append(f"{id} is back")
            elif known[id] is not None and basis.back.get(id, 0) <= now:
                told.append(f"{id} is still down" if id in basis.back else f"{id} is down")
        if told and told == self._answered.get(party):
            return []
        if not told:
            self._answered.pop(party, None)
        return told

    def _written(self, party: str, basis: Basis, *, at_once: bool) -> list[str]:
        """What has been written in registers since; nothing while that goes on, for a while."""
        now = self._now()
        written = self._records.register_changes(tuple(_WORDS), party, max(basis.at, self._refused.get(party, 0)))
        going_on = bool(written) and written[-1].at > now - SETTLE and not at_once
        if going_on and now - self._unsettled.setdefault(party, now) < LONGEST:
            return []
        self._unsettled.pop(party, None)
        return [f"{_WORDS[e.kind]} {e.id} {_what_happened(e)}" for e in written]

    def _ask(
        self, plans: PlanProduction, tell: Tell, party: str, how: Replanning, down: Mapping[str, int], why: list[str]
    ) -> Job | None:
        actor = Actor("servitwin", "system", party, ("production_manager",))
        more = [f"and {len(why) - MOST_WORDS} more"] if len(why) > MOST_WORDS else []
        reasons = [*why[:MOST_WORDS], *more]
        try:
            job = plans.ask(actor, party, down, budget_s=how.budget_s, freeze_minutes=how.freeze_minutes)
        except InvalidInputError as e:
            self._refused[party] = self._now()
            tell(party, {"happened": "no-plan", "why": reasons, "faults": [f.message for f in e.faults[:MOST_WORDS]]})
            return None
        tell(party, {"happened": "asked-anew", "job": job.id, "why": reasons})
        return job


def _basis_of(key: str, at: int, problem: ScheduleProblem) -> Basis:
    down = {
        m.id: [b for b in m.blocked if b.kind == "down" and b.start <= problem.start < b.end] for m in problem.machines
    }
    return Basis(
        key, at, frozenset(down), {id: max(b.end for b in blocks) for id, blocks in down.items() if blocks},
        # What people wrote down refers to their entry.
        frozenset(id for id, blocks in down.items() if any(not b.ref for b in blocks)),
    )  # fmt: skip


def _what_happened(entry: RegisterEntry) -> str:
    if entry.removed:
        return "was removed"
    return "is new" if entry.revision == 1 else "changed"
