"""Legal hold: what retention must not drop: a contract that binds has not been settled on it, or a case needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from servitwin.domain.case import case_standing
from servitwin.domain.contract_period import periods
from servitwin.domain.exclusion import standing
from servitwin.domain.instant import DAY
from servitwin.domain.settlement_inputs import range_to_read
from servitwin.usecases.ports import CaseRecords, Records
from servitwin.usecases.registry import Registry


class Held(msgspec.Struct, frozen=True):
    """Observations in [start, end) that stay, and the contract (or else what) that needs them.

    ``twin``: uid; empty: of all twins.
    """

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


def case_holds(records: CaseRecords, now: int) -> Iterator[Held]:
    """What open cases need to be proven.

    Of the machine all since a day before the first violation. A proof file shows segments of the log, which bind the
    rows of all twins, and no more than a day of them: so of all twins what lies within a day of the violation that is
    proven, and of the repair.
    """
    spans: dict[str, list[tuple[int, int]]] = {}
    for case, steps in records.cases():
        found = case_standing(case, steps, now)
        if not found.open:
            continue
        spans.setdefault(case.twin, []).append((found.findings[0].start - DAY, now))
        if case.source:
            continue  # nothing of it can be proven: what the machine did is enough
        proven = [found.findings[-1].start, *([found.repair.done_at] if found.repair else [])]
        spans.setdefault("", []).extend((at - DAY, min(now, at + DAY)) for at in proven)
    for twin, wanted in spans.items():
        start, end = min(wanted)
        for a, b in sorted(wanted):
            if a > end:
                yield Held(twin, start, end, "open cases")
                start, end = a, b
            end = max(end, b)
        yield Held(twin, start, end, "open cases")
