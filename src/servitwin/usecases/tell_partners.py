"""What suppliers and customers hear of a plan that holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from servitwin.domain.instant import NS, format_instant
from servitwin.domain.schedule.just_in_time import pull_signals
from servitwin.domain.schedule.master_data import StockedMaterial
from servitwin.usecases.ports import Records
from servitwin.usecases.registers import Registers

if TYPE_CHECKING:
    from servitwin.usecases.plan_production import ShownPlan


def words_for_partners(records: Records, registers: Registers, plan: ShownPlan) -> list[tuple[str, dict[str, Any]]]:
    """For suppliers what is called off and when it is needed, for customers when their orders are expected."""
    known, words = {p.id for p in records.parties()}, []
    stock = registers.bodies("materials", plan.party, StockedMaterial)
    for signal in pull_signals(plan.problem, plan.placements, stock):
        if signal.supplier in known:
            told = {"happened": "called-off", "by_party": plan.party, **msgspec.to_builtins(signal)}
            words.append((signal.supplier, {**told, "by": format_instant(signal.by)}))
    ends = {o.order: o for o in plan.figures.orders}
    for order in plan.problem.orders:
        if order.customer in known:
            outcome = ends[order.id]
            told = {
                "happened": "delivery-expected", "by_party": plan.party, "order": order.id,
                "product": order.product, "quantity": order.quantity, "expected": format_instant(outcome.end),
                "due": format_instant(order.due) if order.due is not None else None, "late_s": outcome.late / NS,
            }  # fmt: skip
            words.append((order.customer, told))
    return words
