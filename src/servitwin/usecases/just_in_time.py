"""Just in time: a company sees what its plan needs, who is late and who kept their word; others what concerns them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from servitwin.domain.instant import DAY
from servitwin.domain.party import Actor
from servitwin.domain.schedule.delivery import arrivals_as_told, finder, orders_with_what_came
from servitwin.domain.schedule.just_in_time import (
    Otif,
    Promise,
    PullSignal,
    Requirement,
    otif,
    promises_of_orders,
    promises_of_suppliers,
    pull_signals,
    requirements,
)
from servitwin.domain.schedule.master_data import ProductionOrder, StockedMaterial
from servitwin.usecases.authorise import Authoriser
from servitwin.usecases.delivery_book import DeliveryBook
from servitwin.usecases.plan_production import PUBLISHED, PlanProduction, ShownPlan
from servitwin.usecases.ports import Records
from servitwin.usecases.registers import Registers

OTIF_DAYS = 90


class ExpectedOrder(msgspec.Struct, frozen=True):
    """An order of the plan, with when it is expected and by how much that is later than promised (ns)."""

    order: str
    product: str
    quantity: int
    customer: str
    due: int | None
    expected: int
    late: int


class Needs(msgspec.Struct, frozen=True):
    """What a plan needs against what is known of material now, late first, and how words were kept.

    Attributes:
        party: whose plan it is.
        requirements: what is needed from now on.
        pull: what has to be called off.
        orders: what is expected to reach customers when.
        suppliers, customers: OTIF of the last :data:`OTIF_DAYS` days by party; the whole is ``otif``.
    """

    party: str
    requirements: list[Requirement]
    pull: list[PullSignal]
    orders: list[ExpectedOrder]
    otif: Otif
    suppliers: dict[str, Otif]
    customers: dict[str, Otif]


class JustInTime:
    """For one caller at a time."""

    def __init__(
        self,
        records: Records,
        plans: PlanProduction,
        registers: Registers,
        authoriser: Authoriser,
        now: Callable[[], int],
    ) -> None:
        self._records, self._plans, self._registers = records, plans, registers
        self._authoriser, self._now = authoriser, now

    def needs(self, actor: Actor, party: str = "", id: str = PUBLISHED) -> Needs:
        """What a plan needs; whoever may see the plan sees all of it."""
        return self._needs(self._plans.one(actor, id, party))

    def concerning(self, actor: Actor, party: str = "") -> list[Needs]:
        """What the published plans of others need of a party and will bring to it, and nothing else of them.

        Raises:
            RefusedError: ``access:not-permitted`` without the right to see the party's own plans.
        """
        mine = self._registers.party_of(actor, party)
        self._authoriser.require_for_party(actor, "see_plan", mine)
        found = []
        for other in self._records.parties():
            published = None if other.id == mine else self._plans.published(other.id)
            if published is not None:
                part = _part(self._needs(published), mine)
                if part.requirements or part.pull or part.orders or part.suppliers or part.customers:
                    found.append(part)
        return found

    def _needs(self, plan: ShownPlan) -> Needs:
        now, party = self._now(), plan.party
        present, _ = self._plans.problem(party, {})
        open_ = {(o.id, s.id) for o in present.orders for s in o.operations} - {p.key for p in present.fixed}
        ahead = [p for p in plan.placements if p.key in open_]
        as_it_is = msgspec.structs.replace(plan.problem, materials=present.materials, start=present.start)
        stock = self._registers.bodies("materials", party, StockedMaterial)
        orders = self._registers.bodies("orders", party, ProductionOrder)
        ends = {o.order: o for o in plan.figures.orders}
        expected = [
            ExpectedOrder(o.id, o.product, o.quantity, o.customer, o.due, ends[o.id].end, ends[o.id].late)
            for o in plan.problem.orders
            if o.id in orders and orders[o.id].state == "open"
        ]
        find = finder(DeliveryBook(self._records).of(party))
        asked = promises_of_suppliers(arrivals_as_told(party, stock, find, as_announced=True))
        given = promises_of_orders(orders_with_what_came(party, orders, find))
        return Needs(
            party,
            sorted((_asked_of(r, stock) for r in requirements(as_it_is, ahead)), key=_late_first),
            pull_signals(as_it_is, ahead, stock),
            sorted(expected, key=lambda o: (-o.late, o.expected)),
            otif((p for of in given.values() for p in of), now - OTIF_DAYS * DAY, now),
            _by_party(asked, now),
            _by_party(given, now),
        )


def _asked_of(r: Requirement, stock: Mapping[str, StockedMaterial]) -> Requirement:
    """What nothing covers is asked of who supplies the material."""
    if r.expected is not None or r.material not in stock:
        return r
    return msgspec.structs.replace(r, supplier=stock[r.material].supplier, ref="")


def _late_first(r: Requirement) -> tuple[bool, int, int]:
    """What nothing covers, then what comes too late (the latest first), then in order of time."""
    late = 0 if r.expected is None else max(0, r.expected - r.at)
    return r.expected is not None, -late, r.at


def _by_party(promises: Mapping[str, Iterable[Promise]], now: int) -> dict[str, Otif]:
    found = {party: otif(given, now - OTIF_DAYS * DAY, now) for party, given in promises.items() if party}
    return {party: found[party] for party in sorted(found, key=lambda p: (found[p].ratio or 0.0, p))}


def _part(whole: Needs, party: str) -> Needs:
    """What concerns one party; where its material goes inside the other's house does not."""
    own = [
        msgspec.structs.replace(r, machine="", order="", operation="")
        for r in whole.requirements
        if r.supplier == party
    ]
    nothing = Otif(0, 0, 0, 0, None)
    return Needs(
        whole.party, own, [s for s in whole.pull if s.supplier == party],
        [o for o in whole.orders if o.customer == party], whole.customers.get(party, nothing),
        {p: f for p, f in whole.suppliers.items() if p == party},
        {p: f for p, f in whole.customers.items() if p == party},
    )  # fmt: skip
