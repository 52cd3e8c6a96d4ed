"""A contract and its machine's hours, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from servitwin.domain.contract import (
    Contract,
    ExclusionTerm,
    Guarantee,
    Price,
    StepBand,
)
from servitwin.domain.contract_period import Period, period_of
from servitwin.domain.exclusion import Decision, Exclusion, Standing, standing
from servitwin.domain.instant import HOUR, parse_instant
from servitwin.domain.reason import Reason
from servitwin.domain.settlement import MachineFacts, MachineResult, settle
from servitwin.domain.state_time import State, StateInterval
from servitwin.domain.time_table import TimeTable

MARCH = parse_instant("2026-03-01T00:00:00Z")
STEPPED = StepBand(Decimal("0.1"), Decimal("0.5"), Decimal(10))
KINDS = ("force_majeure", "access_refused", "planned_work", "customer_operation", "provider_failure")


def guarantee(**terms: Any) -> Guarantee:
    """98 %, credit 0.5 % of the fee for each 0.1 % missed, at most 10 %."""
    terms.setdefault("exclusions", tuple(ExclusionTerm(k) for k in KINDS))  # type: ignore[arg-type]
    return Guarantee(terms.pop("level", Decimal(98)), terms.pop("bands", STEPPED), **terms)


def contract(terms: Guarantee | None = None, **more: Any) -> Contract:
    """One crane for the year 2026 in UTC, 48 000 EUR."""
    fields: dict[str, Any] = {
        "id": "crane-98", "version": 1, "title": "Crane", "provider": "maker", "customer": "plant",
        "machines": ("crane",), "start": "2026-01-01", "end": "2027-01-01", "time_zone": "UTC", "currency": "EUR",
        "price": Price(Decimal(48000)),
    }  # fmt: skip
    return Contract(**{**fields, **more}, guarantee=terms or guarantee())


def hours(
    *stretches: tuple[float, State] | tuple[float, State, dict[str, str]], start: int = MARCH
) -> list[StateInterval]:
    """Intervals that follow each other from the first of March: hours, state, and what else is known."""
    found, at = [], start
    for stretch in stretches:
        length, state = stretch[0], stretch[1]
        end = at + round(length * HOUR)
        found.append(StateInterval(at, end, state, **(stretch[2] if len(stretch) > 2 else {})))
        at = end
    return found


def at(hour: float) -> int:
    """An instant so many hours into March 2026."""
    return MARCH + round(hour * HOUR)


def claim(kind: str, start: float, end: float, proposer: str = "maker", id: str = "x1", said: float = 700) -> Exclusion:
    """A claim over hours of March."""
    return Exclusion(id, "crane-98", "crane", kind, at(start), at(end), proposer, "someone", at(said))  # type: ignore[arg-type]


def stand(claimed: Exclusion, *steps: Decision, known: float = 740, terms: Guarantee | None = None) -> Standing:
    """Where a claim stands."""
    return standing(claimed, steps, terms or guarantee(), at(known))


def decide(
    answer: str, *parts: tuple[float, float], number: int = 1, party: str = "plant", said: float = 701
) -> Decision:
    """A step of claim x1."""
    stretches = tuple((at(a), at(b)) for a, b in parts)
    return Decision("x1", number, answer, party, "someone", at(said), stretches)  # type: ignore[arg-type]


def march(
    intervals: Sequence[StateInterval],
    terms: Contract | None = None,
    *,
    reasons: Sequence[Reason] = (),
    standings: Sequence[Standing] = (),
    **facts: Any,
) -> MachineResult:
    """The crane's result of March 2026."""
    agreed = terms or contract()
    machine = MachineFacts("crane", TimeTable.of(intervals), **facts)
    return settle(agreed, march_of(agreed), [machine], reasons, standings).machines[0]


def march_of(agreed: Contract) -> Period:
    """March 2026 of a contract."""
    return period_of(agreed, "2026-03")
