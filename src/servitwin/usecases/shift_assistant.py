"""The operator's shift: what to do next and why, from the published plan; begun, done, or rejected with the reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from servitwin.domain.error import ConflictError, Fault, InvalidInputError
from servitwin.domain.instant import NS, format_instant
from servitwin.domain.party import Actor
from servitwin.domain.schedule.assistant import NextTask, next_tasks
from servitwin.domain.schedule.learned import Lesson, lessons
from servitwin.domain.schedule.master_data import ProductionOrder, ShiftAnswer
from servitwin.domain.schedule.problem import Placement
from servitwin.usecases.plan_production import PUBLISHED, PlanProduction, ShownPlan, plain
from servitwin.usecases.ports import Records
from servitwin.usecases.production_shop import ProductionShop
from servitwin.usecases.registers import Registers

Word = Literal["begun", "done", "rejected"]
REASONS = ("tool-missing", "material-bad", "machine-not-ready", "no-time", "quality-doubt", "other")


class ShiftAssistant:
    """For one caller at a time."""

    def __init__(
        self,
        records: Records,
        planning: PlanProduction,
        shop: ProductionShop,
        registers: Registers,
        now: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._records, self._planning, self._shop, self._registers = records, planning, shop, registers
        self._now, self._new_id = now, new_id

    def next(self, actor: Actor, machine: str, party: str = "") -> list[NextTask]:
        """What runs on the machine and what comes next, with the reasons; what was said to be done is left out.

        What was said to be begun runs, whenever the plan has it.
        """
        plan = self._planning.one(actor, PUBLISHED, party)
        answers = (a for a in self._shop.answers(plan.party) if a.answer != "moved")
        said = {(a.order, a.operation): a for a in sorted(answers, key=lambda a: a.at)}
        over = {k for k, a in said.items() if a.answer == "done" or (a.answer == "rejected" and a.machine == machine)}
        tasks = next_tasks(plan.problem, plan.placements, machine, self._now(), 3 + len(over))
        begun = {k for k, a in said.items() if a.answer == "begun" and a.machine == machine}
        left = [
            msgspec.structs.replace(t, running=t.running or (t.order, t.operation) in begun)
            for t in tasks
            if (t.order, t.operation) not in over
        ]
        return sorted(left, key=lambda t: not t.running)[:3]

    def answer(
        self,
        actor: Actor,
        order: str,
        operation: str,
        answer: Word,
        reason: str = "",
        text: str = "",
        party: str = "",
    ) -> ShiftAnswer:
        """Keep what the operator says about an operation of the published plan; said again it is kept once.

        Raises:
            InvalidInputError: ``plan:unknown-operation``, ``shift:reason-missing``.
            ConflictError: ``shift:done-already``: a word that comes late does not reopen what is done.
        """
        plan = self._planning.one(actor, PUBLISHED, party)
        p = next((p for p in plan.placements if p.key == (order, operation)), None)
        if p is None:
            hint = "See the published plan"
            raise InvalidInputError(
                Fault("plan:unknown-operation", f"No {order}/{operation} is planned", hint, "order")
            )
        with self._records.together("shift"):  # the same word twice at once is heard one after the other
            said = self._said(plan.party, order, operation)
            fresh = self._fresh(plan, p, answer, said, reason, text[:500])
            if said and _same(said[-1], fresh):
                return said[-1]
            if said and said[-1].answer == "done":
                message = f"{order}/{operation} was said to be done at {said[-1].at}"
                hint = "If that was a mistake, whoever plans removes the answer from the register shift_answers"
                raise ConflictError(Fault("shift:done-already", message, hint, "answer"))
            self._registers.put(actor, "shift_answers", self._new_id(), plain(fresh), plan.party, right="answer_plan")
        return fresh

    def _said(self, party: str, order: str, operation: str) -> list[ShiftAnswer]:
        """What was said about an operation, oldest first; where it was moved to says nothing of how far it is."""
        about = [a for a in self._shop.answers(party) if (a.order, a.operation) == (order, operation)]
        return sorted((a for a in about if a.answer != "moved"), key=lambda a: a.at)

    def _fresh(
        self, plan: ShownPlan, p: Placement, answer: Word, said: Sequence[ShiftAnswer], reason: str, text: str
    ) -> ShiftAnswer:
        now = format_instant(self._now())
        orders = self._registers.bodies("orders", plan.party, ProductionOrder)
        earlier = [a.began for a in said if a.answer == "begun"]
        began = earlier[-1] if earlier else ""
        return ShiftAnswer(
            p.order, p.operation, p.machine, answer, now,
            product=orders[p.order].product if p.order in orders else "",
            reason=reason, text=text,
            began=now if answer == "begun" else (began if answer == "done" else ""),
            ended=now if answer == "done" else "",
            planned_s=(p.end - p.start) / NS,
        )  # fmt: skip

    def lessons(self, actor: Actor, party: str = "") -> list[Lesson]:
        """What the plan has learnt of answers so far."""
        plan_party = self._registers.party_of(actor, party)
        self._registers.readable(actor, plan_party)
        return sorted(lessons(self._shop.answers(plan_party)).values(), key=lambda x: (x.product, x.step, x.machine))


def _same(said: ShiftAnswer, again: ShiftAnswer) -> bool:
    """Whether a word is the last one once more, as a program sends it whose answer got lost."""
    return (said.answer, said.machine, said.reason, said.text) == (
        again.answer,
        again.machine,
        again.reason,
        again.text,
    )
