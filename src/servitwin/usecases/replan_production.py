"""A new production plan is asked for by itself when reality is no longer what the published one was made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from servitwin.domain.error import InvalidInputError
from servitwin.domain.instant import NS
from servitwin.domain.job import OVER, Job
from servitwin.domain.party import Actor
from servitwin.domain.register import RegisterEntry
from servitwin.domain.schedule.delivery import otherwise
from servitwin.domain.schedule.master_data import KeptPlan, Replanning
from servitwin.domain.schedule.problem import ScheduleProblem
from servitwin.usecases.delivery_book import DeliveryBook
from servitwin.usecases.plan_production import ABOUT, PUBLISHED, SERVICE, PlanProduction, Tell
from servitwin.usecases.ports import Records

ENTRY = "production"
SETTLE, LONGEST = 2 * NS, 10 * NS
"""Registers and words on deliveries count once none was added for a while (an import is one change, not a thousand, and
a truck is unloaded pallet by pallet), at last after the longer one."""
MOST_WORDS, MOST_HEARD, LATEST_JOBS = 10, 2_000, 10
_WORDS = {
    "orders": "order", "routings": "routing of", "materials": "material", "crews": "crew",
    "workplaces": "workplace", "blocked_times": "blocked time",
}  # fmt: skip
States = Callable[[str], Mapping[str, int | None]]
"""Machines of a party whose state is known: since when they are down by it (ns UTC), None: they are not."""


class Basis(msgspec.Struct, frozen=True):
    """What the newest plan, published or asked for, was made of.

    Attributes:
        key, at: which plan, and when what it is made of was read (ns UTC).
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

    What has changed is what the newest plan was not made of: register entries that were written after it, deliveries
    of which something else was said since, and machines that it takes for down or not. So a restart forgets nothing,
    and whoever asks by hand is not answered twice.
    """

    def __init__(self, records: Records, now: Callable[[], int]) -> None:
        self._records, self._now = records, now
        self._bases: dict[str, Basis] = {}
        self._answered: dict[str, list[str]] = {}  # what was said of machines when a plan was asked for or refused
        self._heard: dict[str, tuple[str, int]] = {}  # plan, and until when words on deliveries gave no reason
        self._refused: dict[str, int] = {}  # when there was no problem to solve; until something else changes
        self._unsettled: dict[str, int] = {}  # since when registers and words have been added to

    def wishes(self) -> list[RegisterEntry]:
        """Of each party that wants it, the entry that says so."""
        parties = [p.id for p in self._records.parties()]
        return [e for e in self._records.register_entries("replanning", parties) if e.id == ENTRY]

    def look(self, wish: RegisterEntry, plans: PlanProduction, states: States, tell: Tell) -> Job | None:
        """Ask for a party where something has changed; ``tell`` hears why, or why there can be no plan.

        While a plan waits or is made that was asked for by itself, no further one is: what it does not know is seen
        once it is there.

        Raises:
            RefusedError: ``job:too-many``: nothing was asked, and the same is found by the next look.
        """
        how, party = msgspec.convert(wish.body, Replanning), wish.party
        published = self._records.register_entry("production_plans", party, PUBLISHED)
        if not how.on or published is None or published.removed:
            return None
        if any(j.why and j.state not in OVER for j in self._records.jobs_of([party], SERVICE, ABOUT, LATEST_JOBS)):
            return None
        known, basis = states(party), self._basis(plans, published)
        machines = self._machines(party, basis, known)
        delivered, said = self._delivered(party, basis)
        written = self._records.register_changes(tuple(_WORDS), party, max(basis.at, self._refused.get(party, 0)))
        why = [*machines, *delivered, *(f"{_WORDS[e.kind]} {e.id} {_what_happened(e)}" for e in written)]
        if not why or (not machines and self._goes_on(party, max([said, *(e.at for e in written)]))):
            return None
        self._unsettled.pop(party, None)
        job = self._ask(plans, tell, party, how, {id: since for id, since in known.items() if since is not None}, why)
        self._answered[party] = machines
        return job

    def _basis(self, plans: PlanProduction, published: RegisterEntry) -> Basis:
        party = published.party
        job = plans.newest_job(party)
        # Not when it was published: what was written meanwhile is not in it.
        at = int(published.body["known"]) if "known" in published.body else published.at
        later = job is not None and job.at > at
        key = job.id if job is not None and later else f"{PUBLISHED} {published.revision}"
        basis = self._bases.get(party)
        if basis is None or basis.key != key:
            if job is not None and later:
                problem, at = plans.asked(job), job.at if job.known is None else job.known
            else:
                problem = msgspec.convert(published.body, KeptPlan).problem
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

    def _delivered(self, party: str, basis: Basis) -> tuple[list[str], int]:
        """What was said since of deliveries that the plan counts with, as far as it is otherwise than planned.

        With the instant of the newest word that could have made it so (ns UTC).
        """
        since = max(basis.at, self._refused.get(party, 0))
        key, heard = self._heard.get(party, ("", 0))
        fresh = max(since, heard) if key == basis.key else since
        if not self._records.newest_delivery_words(fresh, 1):
            return [], 0
        words = self._records.newest_delivery_words(fresh, MOST_HEARD)
        # Of more words than are read at once, all deliveries are looked at instead.
        refs = {ref for w in words for ref in w.refs} if len(words) < MOST_HEARD else None
        book = DeliveryBook(self._records)
        before = {d.awaited.key: d for d in book.of(party, refs, known_at=since)}
        told = {d.awaited.ref: line for d in book.of(party, refs) if (line := otherwise(before[d.awaited.key], d))}
        if not told:
            self._heard[party] = basis.key, words[0].changed
        return list(told.values()), max((w.changed for w in words if told.keys() & set(w.refs)), default=0)

    def _goes_on(self, party: str, newest: int) -> bool:
        """Whether more is to be expected at once of what was added last (ns UTC); not for too long."""
        now = self._now()
        return newest > now - SETTLE and now - self._unsettled.setdefault(party, now) < LONGEST

    def _ask(
        self, plans: PlanProduction, tell: Tell, party: str, how: Replanning, down: Mapping[str, int], why: list[str]
    ) -> Job | None:
        actor = Actor("servitwin", "system", party, ("production_manager",))
        more = [f"and {len(why) - MOST_WORDS} more"] if len(why) > MOST_WORDS else []
        reasons = [*why[:MOST_WORDS], *more]
        try:
            job = plans.ask(actor, party, down, budget_s=how.budget_s, freeze_minutes=how.freeze_minutes, why=reasons)
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
