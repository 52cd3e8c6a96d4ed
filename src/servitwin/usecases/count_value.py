"""Count value: what a contract saved its customer against the baseline that both signed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec

from servitwin.domain.agreement import Agreement, Signature
from servitwin.domain.canonical_json import digest
from servitwin.domain.contract import Contract
from servitwin.domain.contract_period import Period
from servitwin.domain.error import ConflictError, Fault, InvalidInputError, NotFoundError
from servitwin.domain.guarantee_time import Category, GuaranteeTime
from servitwin.domain.instant import DAY, HOUR, format_instant
from servitwin.domain.money import Money
from servitwin.domain.party import Actor
from servitwin.domain.savings import Baseline, Savings, check_estimate, savings
from servitwin.domain.settlement import contract_end, contract_start
from servitwin.usecases.contract_access import ContractAccess
from servitwin.usecases.ports import Records
from servitwin.usecases.settle_period import SettlePeriod
from servitwin.usecases.sign import Sign

PURPOSE = "baseline"
_INPUTS = ("down_hours", "cost_per_hour", "visits", "cost_per_visit")
_YEAR = Decimal("365.25") * 24
_PER_YEAR = {"month": 12, "quarter": 4, "year": 1, "contract": 1}


class Counted(msgspec.Struct, frozen=True):
    """Value over a range (cut to the contract's days and to what is over), brought to a year, and what it rests on."""

    baseline: Baseline
    signatures: tuple[Signature, ...]
    agreed: bool
    from_: int
    to: int
    down_hours: Decimal
    visits: int
    fee: Money
    savings: Savings


class CountValue:
    """Baselines, and what is counted against them."""

    def __init__(
        self, records: Records, access: ContractAccess, settle: SettlePeriod, sign: Sign, now: Callable[[], int]
    ) -> None:
        self._records = records
        self._access = access
        self._settle = settle
        self._sign = sign
        self._now = now

    def propose(self, baseline: Baseline, actor: Actor) -> tuple[Baseline, str]:
        """Keep a baseline, signed by whoever proposes it; the other party countersigns.

        Raises:
            InvalidInputError: every faulty estimate.
        """
        agreement = self._access.current(actor, baseline.contract)
        self._access.require(actor, "agree", agreement.contract)
        faults = [f for n in _INPUTS if (f := check_estimate(getattr(baseline, n), n)) is not None]
        if faults:
            raise InvalidInputError(faults)
        numbered = msgspec.structs.replace(
            baseline, number=len(self._records.baselines(baseline.contract)) + 1, currency=agreement.contract.currency
        )
        if not self._records.add_baseline(numbered, self._now()):
            raise ConflictError(Fault("value:proposed-meanwhile", "Somebody proposed one just now", "Read it again"))
        self.countersign(numbered.contract, actor)
        return numbered, digest(numbered)

    def countersign(self, id: str, actor: Actor) -> Signature:
        """Sign the last baseline for the actor's party."""
        agreement = self._access.current(actor, id)
        self._access.require(actor, "agree", agreement.contract)
        party = self._access.side(actor, agreement.contract)
        return self._sign.sign(PURPOSE, digest(self._last(agreement)), party, actor)

    def count(self, id: str, start: int, end: int, actor: Actor, seed: int = 1) -> Counted:
        """What the contract saved over a range, scaled to a year; agreed only if both signed the baseline.

        Raises:
            NotFoundError: ``value:no-baseline``.
            InvalidInputError: ``value:nothing-left``, ``value:nothing-measured``, ``contract:no-guarantee``.
        """
        return self.count_one(self._access.measured(actor, id), start, end, seed)

    def count_one(
        self,
        agreement: Agreement,
        start: int,
        end: int,
        seed: int = 1,
        among: Sequence[Agreement] | None = None,
    ) -> Counted:
        """As :meth:`count`, of a version by which the caller may learn what its machines did.

        ``among``: all contracts of the node, where the caller has read them already.
        """
        now, contract = self._now(), agreement.contract
        baseline = self._last(agreement)
        start, end = counted_range(contract, start, end, now)
        if contract_start(contract) >= now:  # nobody has accepted its machines yet, and the past is counted as if
            agreement = msgspec.structs.replace(
                agreement, contract=msgspec.structs.replace(contract, acceptance="given")
            )
        whole = Period("value", format_instant(start)[:10], format_instant(end)[:10], start, end)
        settled = self._settle.glance(agreement, whole, among=among).settled  # with what was decided since
        down = sum((_down_a_year(m.twin, m.time) for m in settled.machines), Decimal(0))
        visits = self._visits(agreement, start, end)
        scale = _YEAR / (Decimal(end - start) / HOUR)
        fee = Money(contract.price.fee * _PER_YEAR[contract.price.per], contract.currency)
        signatures = tuple(self._records.signatures_of(digest(baseline)))
        agreed = {s.party for s in signatures} >= {contract.provider, contract.customer}
        found = savings(baseline, down, visits * scale, fee, seed=seed)
        return Counted(baseline, signatures, agreed, start, end, down, visits, fee, found)

    def _last(self, agreement: Agreement) -> Baseline:
        found = self._records.baselines(agreement.contract.id)
        if not found:
            raise NotFoundError(
                Fault(
                    "value:no-baseline",
                    f"{agreement.contract.id} has no baseline",
                    "Propose one: hours down, what they cost, visits, before the service",
                )
            )
        return found[-1]

    def _visits(self, agreement: Agreement, start: int, end: int) -> int:
        entries = self._records.entries([agreement.contract.provider], start, end + DAY, agreement.contract.id)
        return sum(1 for e in entries if any(p.account.startswith("visits:") for p in e.postings))


def counted_range(contract: Contract, start: int, end: int, now: int) -> tuple[int, int]:
    """What of a range (ns UTC) is over and within the contract's days.

    Before the contract has begun it is all that is over: the past shows what the baseline is worth.

    Raises:
        InvalidInputError: ``value:nothing-left``.
    """
    first, last = contract_start(contract), contract_end(contract)
    end = min(end, now)
    if first < now:
        start, end = max(start, first), min(end, last)
    if start >= end:
        days = f"{contract.id} is in force from {format_instant(first)} to {format_instant(last)}"
        message = f"Nothing of that time is left to count: {days}, and it is {format_instant(now)} now"
        raise InvalidInputError(
            Fault("value:nothing-left", message, "Ask for a time that is over, and in the contract's days", "from")
        )
    return start, end


def _down_a_year(twin: str, time: GuaranteeTime) -> Decimal:
    """Unavailable hours of a machine a year; time without data counts as what is known does, and saves nothing."""
    share = time.down_share
    if share is None:
        message = f"Nothing is known of {twin} in that time"
        if time.total(Category.OUTSIDE) == time.duration.sum():
            message = f"No time of {twin} in that range counts under the contract ({', '.join(time.rules) or 'empty'})"
        hint = "Ask for a time that counts and of which there are data"
        raise InvalidInputError(Fault("value:nothing-measured", message, hint, "from"))
    return share * _YEAR
