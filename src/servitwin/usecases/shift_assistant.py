"""The operator's shift: what to do next and why, from the published plan; begun, done, or rejected with the reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import NS, format_instant
from servitwin.domain.party import Actor
from servitwin.domain.schedule.assistant import NextTask, next_tasks
from servitwin.domain.schedule.learned import Lesson, lessons
from servitwin.domain.schedule.master_data import ProductionOrder, ShiftAnswer
from servitwin.usecases.plan_production import PUBLISHED, PlanProduction, plain
from servitwin.usecases.production_shop import ProductionShop
from servitwin.usecases.registers import Registers

REASONS = ("tool-missing", "material-bad", "machine-not-ready", "no-time", "quality-doubt", "other")


class ShiftAssistant:
    """For one caller at a time."""

    def __init__(
        self,
        planning: PlanProduction,
        shop: ProductionShop,
        registers: Registers,
        now: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._planning, self._shop, self._registers = planning, shop, registers
        self._now, self._new_id = now, new_id

    def next(self, actor: Actor, machine: str, party: str = "") -> list[NextTask]:
        """What runs on the machine and what comes next, with the reasons; what was said to be done is left out."""
        plan = self._planning.one(actor, PUBLISHED, party)
        said = {(a.order, a.operation): a for a in sorted(self._shop.answers(plan.party), key=lambda a: a.at)}
        over = {k for k, a in said.items() if a.answer == "done" or (a.answer == "rejected" and a.machine == machine)}
        tasks = next_tasks(plan.problem, plan.placements, machine, self._now(), 3 + len(over))
        return [t for t in tasks if (t.order, t.operation) not in over][:3]

    def answer(
        self,
        actor: Actor,
        order: str,
        operation: str,
        answer: Literal["begun", "done", "rejected"],
        reason: str = "",
        text: str = "",
        party: str = "",
    ) -> ShiftAnswer:
        """Keep what the operator says about an operation of the published plan.

        Raises:
            InvalidInputError: ``plan:unknown-operation``, ``shift:reason-missing``.
        """
        plan = self._planning.one(actor, PUBLISHED, party)
        p = next((p for p in plan.placements if p.key == (order, operation)), None)
        if p is None:
            hint = "See the published plan"
            raise InvalidInputError(
                Fault("plan:unknown-operation", f"No {order}/{operation} is planned", hint, "order")
            )
        now = self._now()
        orders = self._registers.bodies("orders", plan.party, ProductionOrder)
        earlier = [
            a for a in self._shop.answers(plan.party) if (a.order, a.operation, a.answer) == (order, operation, "begun")
        ]
        began = earlier[-1].began if earlier else ""
        body = ShiftAnswer(
            order, operation, p.machine, answer, format_instant(now),
            product=orders[order].product if order in orders else "",
            reason=reason, text=text[:500],
            began=format_instant(now) if answer == "begun" else (began if answer == "done" else ""),
            ended=format_instant(now) if answer == "done" else "",
            planned_s=(p.end - p.start) / NS,
        )  # fmt: skip
        self._registers.put(actor, "shift_answers", self._new_id(), plain(body), plan.party, right="answer_plan")
        return body

    def lessons(self, actor: Actor, party: str = "") -> list[Lesson]:
        """What the plan has learnt of answers so far."""
        plan_party = self._registers.party_of(actor, party)
        self._registers.readable(actor, plan_party)
        return sorted(lessons(self._shop.answers(plan_party)).values(), key=lambda x: (x.product, x.step, x.machine))
