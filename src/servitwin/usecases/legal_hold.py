"""Legal hold: what retention must not drop: a contract that binds has not been settled on it, or a case needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from servitwin.domain.contract_period import periods
from servitwin.domain.exclusion import standing
from servitwin.domain.settlement_inputs import range_to_read
from servitwin.usecases.ports import Records
from servitwin.usecases.registry import Registry


class Held(msgspec.Struct, frozen=True):
    """Observations of a twin (uid) in [start, end) that stay, and the contract (or else what) that needs them."""

    twin: str
    start: int
    end: int
    contract: str


Others = Callable[[int], Iterable[Held]]  # what else holds at an instant (ns UTC): open cases, disputes


def held(records: Records, registry: Registry, now: int, others: Sequence[Others] = ()) -> list[Held]:
    """Stretches of unsettled periods, and of those with a claim that is still open; what lies around them included.

    ``others``: each is asked what it needs besides.
    """
    settled = {(s["contract"], s["period"]) for s in records.settlements()}
    found = [hold for other in others for hold in other(now)]
    for agreement in records.contracts():
        contract, guarantee = agreement.contract, agreement.contract.guarantee
        if guarantee is None or not agreement.binding:
            continue
        waiting = [
            s
            for s in (standing(c, steps, guarantee, now) for c, steps in records.exclusions(contract.id))
            if s.waiting_for
        ]
        for period in periods(contract):
            disputed = any(s.exclusion.end > period.start and s.exclusion.start < period.end for s in waiting)
            if period.start >= now or ((contract.id, period.id) in settled and not disputed):
                continue
            start, end = range_to_read(contract, period, max(now, period.end))
            for id in contract.machines:
                twin = registry.by_id(id)
                if twin is not None:
                    found.append(Held(twin.uid, start, end, contract.id))
    return found
