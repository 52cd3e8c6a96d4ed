"""Work moved by whoever stands at the machine: looked at before, done where nobody is worse off, else asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from servitwin.domain.error import ConflictError, Fault, InvalidInputError
from servitwin.domain.instant import MINUTE, NS, format_instant
from servitwin.domain.party import Actor
from servitwin.domain.schedule.by_shift import FREEZE, How, ShiftMove, move_in_shift
from servitwin.domain.schedule.master_data import KeptPlan, Replanning, ShiftAnswer
from servitwin.domain.schedule.measure import measure
from servitwin.usecases.authorise import Authoriser
from servitwin.usecases.plan_production import PUBLISHED, PlanProduction, ShownPlan, Tell, plain
from servitwin.usecases.ports import Records
from servitwin.usecases.registers import Registers
from servitwin.usecases.shift_assistant import REASONS

ASKED = "shift-"
"""Ids of plans that a shift asks for: with the machine behind it, one for each machine."""
MOST_REASONS = 10
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_.-]")


class Wish(msgspec.Struct, frozen=True):
    """What a shift wants at its machine: this operation first, or later than the one that follows it."""

    machine: str
    order: str
    operation: str
    how: How


class Why(msgspec.Struct, frozen=True):
    """Why what waits has to wait: a known reason, or own words."""

    reason: str = ""
    text: str = ""

    def checked(self) -> Why:
        """With ``other`` as the reason of own words.

        Raises:
            InvalidInputError: ``shift:reason-missing``, ``shift:reason-unknown``.
        """
        text = self.text.strip()
        if self.reason and self.reason not in REASONS:
            message, hint = f"{self.reason[:80]!r} is no reason", f"One of {', '.join(REASONS)}, or your own words"
            raise InvalidInputError(Fault("shift:reason-unknown", message, hint, "reason"))
        if not self.reason and not text:
            raise InvalidInputError(Fault("shift:reason-missing", "A move needs its reason", "Say why", "reason"))
        return Why(self.reason or "other", text[:500])

    @property
    def words(self) -> str:
        """For people."""
        known = self.reason.replace("-", " ")
        return self.text if self.reason == "other" and self.text else f"{known} ({self.text})" if self.text else known


class MoveInShift:
    """For one caller at a time; a caller acts for its own party unless it names another."""

    def __init__(
        self,
        records: Records,
        planning: PlanProduction,
        registers: Registers,
        authoriser: Authoriser,
        tell: Tell,
        now: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._records, self._planning, self._registers = records, planning, registers
        self._authoriser, self._tell, self._now, self._new_id = authoriser, tell, now, new_id

    def look(self, actor: Actor, wish: Wish, down: Mapping[str, int], party: str = "") -> tuple[ShownPlan, ShiftMove]:
        """What the move would change in the published plan, and whether it needs a planner. Nothing is kept.

        Raises:
            ConflictError: ``plan:outdated``.
            InvalidInputError: ``plan:...``, ``shift:...``: why it cannot be moved so.
        """
        plan = self._planning.one(actor, PUBLISHED, party)
        self._authoriser.require_for_party(actor, "answer_plan", plan.party)
        standing = self._planning.standing(plan, down)
        return plan, move_in_shift(
            standing, wish.machine, wish.order, wish.operation, wish.how, self._freeze(plan.party)
        )

    def move(
        self, actor: Actor, wish: Wish, why: Why, revision: int, down: Mapping[str, int], party: str = ""
    ) -> tuple[ShownPlan, ShiftMove]:
        """Do it: the plan with the move holds from now on, and the answer with its reason is kept.

        Args:
            actor: who moves.
            wish: what.
            why: the reason.
            revision: of the published plan that was looked at.
            down: machines that are down by their own state, with the instant since when (ns UTC).
            party: whose production; default: the caller's.

        Raises:
            ConflictError: ``plan:changed-meanwhile``, ``plan:outdated``; ``shift:needs-planner`` with what is against
                it: nothing is changed.
            InvalidInputError: as :meth:`look`, and the reason.
        """
        why = why.checked()
        before, made = self._seen(actor, wish, revision, down, party)
        if made.against:
            head = "This move needs a planner; nothing was changed"
            raise ConflictError([Fault("shift:needs-planner", head, "Ask the planner", "plan"), *made.against])
        body = self._kept(before, made, why, f"moved by the shift at {wish.machine}")
        with self._records.together("registers"):
            after = self._planning.hold_moved(actor, before, body)
            answer = self._answer(before, made, why)
            self._registers.put(
                actor, "shift_answers", self._new_id(), plain(answer), before.party, right="answer_plan"
            )
            self._tell(
                before.party, {**_told("moved-by-shift", made, why), "plan": PUBLISHED, "revision": after.revision}
            )
        return after, made

    def ask(
        self, actor: Actor, wish: Wish, why: Why, revision: int, down: Mapping[str, int], party: str = ""
    ) -> tuple[ShownPlan, ShiftMove]:
        """Keep the plan with the move for whoever plans, who publishes or leaves it; the published one stays.

        Raises:
            ConflictError, InvalidInputError: as :meth:`move`.
        """
        why = why.checked()
        before, made = self._seen(actor, wish, revision, down, party)
        body = self._kept(before, made, why, f"asked for by the shift at {wish.machine}")
        id = ASKED + _NOT_IN_IDS.sub("-", wish.machine)[:80]
        with self._records.together("registers"):
            self._registers.put(actor, "production_plans", id, plain(body), before.party, right="answer_plan")
            late = [o.order for o in measure(made.problem, made.placements).orders if o.late]
            told = _told("move-asked", made, why)
            self._tell(
                before.party, {**told, "plan": id, "late_orders": late, "against": [f.message for f in made.against]}
            )
        return self._planning.one(actor, id, before.party), made

    def _seen(
        self, actor: Actor, wish: Wish, revision: int, down: Mapping[str, int], party: str
    ) -> tuple[ShownPlan, ShiftMove]:
        plan, made = self.look(actor, wish, down, party)
        if plan.revision != revision:
            message = f"The plan that was looked at (revision {revision}) is not the one that holds ({plan.revision})"
            hint = "Look at what the move changes now, then decide"
            raise ConflictError(Fault("plan:changed-meanwhile", message, hint, "revision"))
        return plan, made

    def _freeze(self, party: str) -> int:
        """What the company keeps still when plans are made anew by themselves, else the usual."""
        wishes = self._registers.bodies("replanning", party, Replanning)
        minutes = max((w.freeze_minutes for w in wishes.values()), default=0)
        return minutes * MINUTE or FREEZE

    def _kept(self, before: ShownPlan, made: ShiftMove, why: Why, note: str) -> KeptPlan:
        word = f"{made.machine} does {'/'.join(made.ahead)} before {'/'.join(made.behind)}: {why.words}"
        reasons = (*before.why, word)[-MOST_REASONS:]
        return KeptPlan(made.problem, made.placements, before.title, before.job, note, reasons, before.known)

    def _answer(self, before: ShownPlan, made: ShiftMove, why: Why) -> ShiftAnswer:
        p = next(p for p in before.placements if p.key == made.behind)
        product = next(o.product for o in before.problem.orders if o.id == p.order)
        return ShiftAnswer(
            p.order, p.operation, made.machine, "moved", format_instant(self._now()), product=product,
            reason=why.reason, text=why.text, planned_s=(p.end - p.start) / NS, first="/".join(made.ahead),
        )  # fmt: skip


def _told(happened: str, made: ShiftMove, why: Why) -> dict[str, Any]:
    """The word of an event: where, what, and why; not who."""
    return {
        "happened": happened, "machine": made.machine, "order": made.ahead[0], "operation": made.ahead[1],
        "before": "/".join(made.behind), "reason": why.reason, "text": why.text,
    }  # fmt: skip
