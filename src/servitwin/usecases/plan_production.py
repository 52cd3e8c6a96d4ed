"""Plans of production: asked for, shown with reasons, compared, changed by hand, published."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from servitwin.domain.error import ConflictError, Fault, InvalidInputError, NotFoundError
from servitwin.domain.instant import DAY, MINUTE
from servitwin.domain.job import Job
from servitwin.domain.party import Actor
from servitwin.domain.schedule.assemble import Progress, assemble, progress
from servitwin.domain.schedule.by_hand import move_by_hand
from servitwin.domain.schedule.change import Comparison, Event, compare
from servitwin.domain.schedule.check import check_plan
from servitwin.domain.schedule.master_data import KeptPlan, ProductionOrder
from servitwin.domain.schedule.measure import PlanFigures, measure
from servitwin.domain.schedule.problem import Placement, SchedulePlan, ScheduleProblem
from servitwin.domain.schedule.standing import Standing, stand
from servitwin.usecases.authorise import Authoriser
from servitwin.usecases.jobs import Jobs
from servitwin.usecases.ports import Records
from servitwin.usecases.production_shop import ProductionShop
from servitwin.usecases.registers import Registers
from servitwin.usecases.tell_partners import words_for_partners

SERVICE = "schedule"
ABOUT = "production"
PUBLISHED = "published"
HORIZON_DAYS = 21
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_.-]")
Tell = Callable[[str, Mapping[str, Any]], None]
"""Tells an event of kind ``plan`` to a party."""


def plain(body: msgspec.Struct) -> dict[str, Any]:
    """As JSON has it: lists, no tuples, so that what is kept compares equal to what is written again."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(body))
    return found


class Reading(Protocol):
    """A plan that was read from a file."""

    @property
    def placements(self) -> tuple[Placement, ...]:
        """Where and when each operation is done."""
        ...

    def located(self, faults: Sequence[Fault]) -> list[Fault]:
        """Faults of the plan with their places in the file."""
        ...


class ShownPlan(msgspec.Struct, frozen=True):
    """A plan with where it comes from. ``id`` is that of its job, ``published``, or of a plan changed by hand.

    ``why``: what made it necessary, where the platform proposed it by itself or the shift moved work. ``known``: when
    what it was made from was read (ns UTC).
    """

    id: str
    party: str
    problem: ScheduleProblem
    placements: tuple[Placement, ...]
    figures: PlanFigures
    title: str
    job: str
    note: str
    revision: int = 0
    at: int = 0
    why: tuple[str, ...] = ()
    known: int | None = None


class PlanProduction:
    """For one caller at a time; a caller acts for its own party unless it names another."""

    def __init__(
        self,
        records: Records,
        shop: ProductionShop,
        registers: Registers,
        jobs: Jobs,
        authoriser: Authoriser,
        tell: Tell,
        now: Callable[[], int],
    ) -> None:
        self._records, self._shop, self._registers, self._jobs = records, shop, registers, jobs
        self._authoriser, self._tell, self._now = authoriser, tell, now

    def ask(
        self,
        actor: Actor,
        party: str = "",
        down: Mapping[str, int] | None = None,
        *,
        budget_s: float = 20.0,
        seed: int = 0,
        freeze_minutes: int = 0,
        horizon_days: int = HORIZON_DAYS,
        afresh: bool = False,
        why: Sequence[str] = (),
    ) -> Job:
        """Let a plan be made of what is known now; with a published plan, one that disturbs it little.

        Args:
            actor: who asks.
            party: whose production; default: the caller's.
            down: machines that are down by their own state, with the instant since when (ns UTC).
            budget_s: seconds to search.
            seed: of the search.
            freeze_minutes: what the published plan begins within this time stays.
            horizon_days: how far calendars are read.
            afresh: without regard to the published plan but for what runs.
            why: what made it necessary, where nobody asked for it.

        Raises:
            InvalidInputError: ``schedule:...``: everything that is wrong with the registers.
        """
        mine = self._registers.party_of(actor, party)
        self._authoriser.require_for_party(actor, "plan", mine)
        known = self._reading()
        problem, faults = self.problem(mine, down or {}, freeze_minutes, horizon_days, afresh=afresh)
        if not problem.orders and not faults:
            faults = [Fault("schedule:nothing-to-plan", "No order is open", "Enter orders first", "orders")]
        if faults:
            raise InvalidInputError(faults)
        return self._jobs.ask(
            SERVICE, plain(problem), actor, budget_s=budget_s, seed=seed, about=ABOUT, party=mine, why=why, known=known
        )

    def _reading(self) -> int:
        """Now, while no word on a delivery is being kept: what is read next has all words up to this instant."""
        with self._records.together("deliveries"):
            return self._now()

    def problem(
        self,
        party: str,
        down: Mapping[str, int],
        freeze_minutes: int = 0,
        days: int = HORIZON_DAYS,
        *,
        afresh: bool = False,
    ) -> tuple[ScheduleProblem, list[Fault]]:
        """The problem as it is now, from the next whole minute on."""
        problem, faults, _ = self._assembled(party, down, freeze_minutes, days)
        if afresh:
            problem = msgspec.structs.replace(
                problem, before=(), objective=msgspec.structs.replace(problem.objective, moved=0, moved_machine=0)
            )
        return problem, faults

    def standing(self, plan: ShownPlan, down: Mapping[str, int]) -> Standing:
        """The published plan as it stands now: what is over and what runs are facts in it, by what people said.

        Raises:
            ConflictError: ``plan:outdated`` where it can no longer be carried out.
        """
        fresh, _, happened = self._assembled(plan.party, down, 0, HORIZON_DAYS)
        return stand(plan.problem, plan.placements, fresh, happened)

    def _assembled(
        self, party: str, down: Mapping[str, int], freeze_minutes: int, days: int
    ) -> tuple[ScheduleProblem, list[Fault], Progress]:
        now = -(-self._now() // MINUTE) * MINUTE
        end = now + days * DAY
        shop = self._shop.read(party, now, end, down)
        published = self._kept(party, PUBLISHED)
        plan, over = (published.placements, published.over) if published is not None else ((), ())
        until = {
            id: max(b.end for b in spans if b.kind == "down" and b.start <= now)
            for id, spans in shop.blocked.items()
            if any(b.kind == "down" and b.start <= now for b in spans)
        }
        happened = progress(plan, self._shop.answers(party), now, until, over)
        problem, faults = assemble(shop, now, end, plan, happened, freeze_minutes * MINUTE)
        return problem, faults, happened

    def plans(self, actor: Actor, party: str = "", limit: int = 20) -> tuple[list[Job], list[ShownPlan]]:
        """Jobs that made plans, newest first, and the plans that are kept: the published one, those changed by hand."""
        mine = self._registers.party_of(actor, party)
        self._authoriser.require_for_party(actor, "see_plan", mine)
        jobs = [j for j in self._jobs.of(actor, SERVICE, ABOUT, limit) if j.party == mine]
        kept = [self._shown(e.id, mine) for e in self._records.register_entries("production_plans", [mine])]
        return jobs, kept

    def newest_job(self, party: str) -> Job | None:
        """The newest plan that was asked for; where the end of the node came first, there is none."""
        jobs = self._records.jobs_of([party], SERVICE, ABOUT, 10)
        return next((j for j in jobs if j.plans or all(f.code != "job:interrupted" for f in j.faults)), None)

    def asked(self, job: Job) -> ScheduleProblem:
        """What a plan is, or was, to be made of."""
        return msgspec.convert(self._jobs.problem(job), ScheduleProblem)

    def one(self, actor: Actor, id: str, party: str = "") -> ShownPlan:
        """A plan by the id of its job, or of a plan that is kept.

        Raises:
            NotFoundError: ``plan:unknown``, ``plan:none-yet`` where its job has found none so far.
        """
        mine = self._registers.party_of(actor, party)
        self._authoriser.require_for_party(actor, "see_plan", mine)
        if self._records.register_entry("production_plans", mine, id) is not None:
            return self._shown(id, mine)
        try:
            job = self._jobs.one(actor, id)
        except NotFoundError:
            hint = "GET /api/v1/schedules"
            raise NotFoundError(Fault("plan:unknown", f"There is no plan {id[:80]!r}", hint, "id")) from None
        result = self._jobs.result(job)
        if job.service != SERVICE or result is None:
            raise NotFoundError(Fault("plan:none-yet", f"Job {job.id} has no plan (yet): {job.state}", "Wait", "id"))
        problem = self.asked(job)
        placements = msgspec.convert(result, SchedulePlan).placements
        return ShownPlan(
            job.id, job.party, problem, placements, measure(problem, placements), "", job.id, "", 0,
            job.ended or job.at, job.why, job.at if job.known is None else job.known,
        )  # fmt: skip

    def published(self, party: str) -> ShownPlan | None:
        """The plan that holds for a party; whoever asks has made sure of the right to what is shown of it."""
        return None if self._kept(party, PUBLISHED) is None else self._shown(PUBLISHED, party)

    def publish(
        self, actor: Actor, id: str, title: str = "", party: str = "", replaces: int | None = None
    ) -> ShownPlan:
        """Make a plan the one that holds, if it still can: its machines' facts are checked against what is known now.

        ``replaces``: only if the published plan has this revision (0: only if there is none), so that nobody replaces
        one that was published while they looked at another.

        Raises:
            ConflictError: ``plan:outdated`` with what has happened since that it does not know;
                ``register:changed-meanwhile``.
        """
        chosen = self.one(actor, id, party)
        mine = chosen.party
        self._authoriser.require_for_party(actor, "plan", mine)
        before = self._kept(mine, PUBLISHED)
        faults = self._outdated(chosen, before)
        if faults:
            raise ConflictError(faults)
        problem = msgspec.structs.replace(chosen.problem, before=())
        body = KeptPlan(
            problem, chosen.placements, title or chosen.title, chosen.job, f"published from {id}", chosen.why,
            chosen.known, self._over(mine, chosen),
        )  # fmt: skip
        entry = self._registers.put(actor, "production_plans", PUBLISHED, plain(body), mine, replaces)
        late = [o.order for o in chosen.figures.orders if o.late]
        told: dict[str, Any] = {"happened": "published", "plan": id, "revision": entry.revision, "late_orders": late}
        if before is not None:
            old = {p.key: p for p in before.placements}
            told["moved"] = sum(1 for p in chosen.placements if p.key in old and old[p.key].start != p.start)
        self._tell(mine, told)
        for whom, word in words_for_partners(self._records, self._registers, chosen):
            self._tell(whom, word)
        return self._shown(PUBLISHED, mine)

    def hold_moved(self, actor: Actor, before: ShownPlan, body: KeptPlan) -> ShownPlan:
        """Make a plan hold that the shift has made of the published one; others hear of what is new to them.

        Raises:
            ConflictError: ``register:changed-meanwhile`` where another plan was published since.
        """
        held = self._kept(before.party, PUBLISHED)
        body = msgspec.structs.replace(body, over=() if held is None else held.over)
        self._registers.put(
            actor, "production_plans", PUBLISHED, plain(body), before.party, before.revision, right="answer_plan"
        )
        after = self._shown(PUBLISHED, before.party)
        known = words_for_partners(self._records, self._registers, before)
        for whom, word in words_for_partners(self._records, self._registers, after):
            if (whom, word) not in known:
                self._tell(whom, word)
        return after

    def _over(self, party: str, plan: ShownPlan) -> tuple[tuple[str, str], ...]:
        """What is done of open orders and is not in a plan: no later plan may have it done again."""
        happened, planned = self._assembled(party, {}, 0, HORIZON_DAYS)[2], {p.key for p in plan.placements}
        orders = self._registers.bodies("orders", party, ProductionOrder)
        return tuple(sorted(k for k in happened.done - planned if k[0] in orders and orders[k[0]].state == "open"))

    def move(
        self, actor: Actor, id: str, order: str, operation: str, machine: str, start: int, party: str = ""
    ) -> tuple[ShownPlan, Comparison]:
        """A plan with one operation put elsewhere by hand, the rest repaired around it; kept as a plan of its own.

        Raises:
            InvalidInputError: ``plan:...``: why it cannot be there.
        """
        chosen = self.one(actor, id, party)
        self._authoriser.require_for_party(actor, "plan", chosen.party)
        now = self._now()
        begun = {p.key: p for p in chosen.placements if p.begin < now}
        if (order, operation) in begun:
            message, hint = f"{order}/{operation} has begun by the plan: it stays", "Say that it is done, or reject it"
            raise InvalidInputError(Fault("plan:runs-already", message, hint, "operation"))
        fixed = {p.key: p for p in chosen.problem.fixed}
        stays = msgspec.structs.replace(chosen.problem, fixed=tuple({**begun, **fixed}.values()))
        problem, placements = move_by_hand(stays, chosen.placements, order, operation, machine, max(start, now))
        note = f"{order}/{operation} put on {machine} by hand"
        own = "by-hand-" + _NOT_IN_IDS.sub("-", actor.id)[:80]
        body = KeptPlan(problem, placements, chosen.title, chosen.job, note, chosen.why, chosen.known)
        self._registers.put(actor, "production_plans", own, plain(body), chosen.party)
        return self._shown(own, chosen.party), compare(problem, chosen.placements, placements)

    def take(
        self,
        actor: Actor,
        read: Reading,
        name: str = "",
        base: str = "",
        party: str = "",
        down: Mapping[str, int] | None = None,
    ) -> ShownPlan:
        """A plan that was made elsewhere, kept as a plan of its own if it can be carried out; all of it, or nothing.

        Args:
            actor: who brings it.
            read: what the file says.
            name: of the file, for people.
            base: plan whose problem it is a plan of, as one that was exported and changed; empty: of what is known now.
            party: whose production; default: the caller's.
            down: as for :meth:`ask`.

        Raises:
            InvalidInputError: ``plan:...``: all in which it breaks its problem, with the places in the file.
        """
        mine = self._registers.party_of(actor, party)
        self._authoriser.require_for_party(actor, "plan", mine)
        faults: list[Fault] = []
        if base:
            of = self.one(actor, base, mine)
            problem, known = of.problem, of.known
        else:
            known = self._reading()
            problem, faults = self.problem(mine, down or {})
        faults = faults or read.located(check_plan(problem, read.placements))
        if faults:
            raise InvalidInputError(faults)
        own = "imported-" + _NOT_IN_IDS.sub("-", actor.id)[:80]
        body = KeptPlan(problem, read.placements, note=f"imported from {name[:100] or 'a file'}", known=known)
        self._registers.put(actor, "production_plans", own, plain(body), mine)
        return self._shown(own, mine)

    def compare(self, actor: Actor, id: str, other: str, party: str = "") -> tuple[ShownPlan, ShownPlan, Comparison]:
        """What moves from one plan to another, and why."""
        first, second = self.one(actor, id, party), self.one(actor, other, party)
        events = [
            Event(b.kind, m.id, f"{m.id} is {'down' if b.kind == 'down' else 'blocked'} ({b.why or b.kind})")
            for m in second.problem.machines
            for b in m.blocked
        ]
        return first, second, compare(second.problem, first.placements, second.placements, events)

    def _outdated(self, chosen: ShownPlan, before: KeptPlan | None) -> list[Fault]:
        """Operations of the plan that begin in the past although nobody has begun them."""
        if before is None:
            return []
        now = self._now()
        problem, _ = self.problem(chosen.party, {})
        happened = {p.key for p in problem.fixed if p.started}
        open_ = {(o.id, s.id) for o in problem.orders for s in o.operations}
        faults = []
        for p in chosen.placements:
            if p.key in open_ and p.key not in happened and not p.started and p.start < now - 15 * MINUTE:
                message = f"{p.order}/{p.operation} should have begun on {p.machine} by now and has not"
                faults.append(Fault("plan:outdated", message, "Ask for a plan anew", f"{p.order}/{p.operation}"))
        return faults

    def _kept(self, party: str, id: str) -> KeptPlan | None:
        entry = self._records.register_entry("production_plans", party, id)
        return None if entry is None or entry.removed else msgspec.convert(entry.body, KeptPlan)

    def _shown(self, id: str, party: str) -> ShownPlan:
        entry = self._records.register_entry("production_plans", party, id)
        kept = self._kept(party, id)
        if entry is None or kept is None:
            raise NotFoundError(Fault("plan:unknown", f"There is no plan {id[:80]!r}", "GET /api/v1/schedules", "id"))
        faults = check_plan(kept.problem, kept.placements)
        if faults:
            raise ConflictError(faults)
        return ShownPlan(
            id, party, kept.problem, kept.placements, measure(kept.problem, kept.placements), kept.title, kept.job,
            kept.note, entry.revision, entry.at, kept.why, entry.at if kept.known is None else kept.known,
        )  # fmt: skip
