"""Count visits: planned against ad hoc, by customer and contract, with the money against the countersigned baseline."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec

from servitwin.domain.canonical_json import digest
from servitwin.domain.instant import DAY
from servitwin.domain.money import Money
from servitwin.domain.party import Actor
from servitwin.domain.settlement import contract_end, contract_start
from servitwin.domain.work_order import WorkOrder, orders_in_force
from servitwin.usecases.contract_access import ContractAccess
from servitwin.usecases.ports import Records
from servitwin.usecases.registry import Registry

YEAR = Decimal("365.25")


class VisitCount(msgspec.Struct, frozen=True):
    """Visits of one contract's machines in a range.

    Attributes:
        planned, ad_hoc: work orders that began in it, one a machine and day; days: of the range within the contract.
        baseline: ad hoc visits a year before the service; None: no baseline.
        avoided: fewer ad hoc visits than the baseline would have had in these days (less than none: more).
        saved: ``avoided`` times what a visit cost; agreed: both parties signed the baseline, so that it counts.
    """

    contract: str
    customer: str
    provider: str
    machines: tuple[str, ...]
    planned: int
    ad_hoc: int
    days: Decimal
    baseline: Decimal | None
    avoided: Decimal | None
    saved: Money | None
    agreed: bool


class CountVisits:
    """Visits by work orders, for the parties of the contracts."""

    def __init__(self, records: Records, registry: Registry, access: ContractAccess, now: Callable[[], int]) -> None:
        self._records = records
        self._registry = registry
        self._access = access
        self._now = now

    def count(self, actor: Actor, start: int, end: int) -> list[VisitCount]:
        """Of each contract that the caller may read, by customer."""
        found = []
        for agreement in self._access.all_current(actor):
            contract = agreement.contract
            begin, over = max(start, contract_start(contract)), min(end, contract_end(contract), self._now())
            if over <= begin or not agreement.binding:
                continue
            twins = [t.id for m in contract.machines if (t := self._registry.by_id(m)) is not None]
            orders = orders_in_force(self._records.work_orders(twins, begin, over))
            mine = [o for o in orders if begin <= o.start < over and o.by_party == contract.provider]
            planned, ad_hoc = _days(mine, "planned"), _days(mine, "unplanned")
            days = Decimal(over - begin) / DAY
            baselines = self._records.baselines(contract.id)
            baseline = avoided = saved = None
            agreed = False
            if baselines:
                last = baselines[-1]
                baseline = last.visits.likely
                signed = {s.party for s in self._records.signatures_of(digest(last))}
                avoided = baseline * days / YEAR - ad_hoc
                saved = Money(avoided * last.cost_per_visit.likely, last.currency).rounded()
                agreed = signed >= {contract.provider, contract.customer}
            machines = tuple(contract.machines)
            found.append(
                VisitCount(
                    contract.id, contract.customer, contract.provider, machines, planned, ad_hoc, days, baseline,
                    avoided, saved, agreed,
                )
            )  # fmt: skip
        return sorted(found, key=lambda v: (v.customer, v.contract))


def _days(orders: list[WorkOrder], kind: str) -> int:
    """Visits: orders of a kind, those of one machine on one day as one."""
    return len({(o.twin, o.start // DAY) for o in orders if o.kind == kind})
