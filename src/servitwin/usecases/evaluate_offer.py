"""Evaluate an offer before anybody keeps it: the price of its risk, its trial over the past, the customer's gain."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

import msgspec

from servitwin.domain.agreement import Agreement
from servitwin.domain.contract import Contract
from servitwin.domain.error import Fault, InvalidInputError, NotFoundError
from servitwin.domain.follow_up import yearly_fee
from servitwin.domain.instant import HOUR
from servitwin.domain.money import Money
from servitwin.domain.party import Actor
from servitwin.domain.savings import Baseline, Estimate, check_estimate, savings
from servitwin.usecases.agree_contract import AgreeContract, overlapping
from servitwin.usecases.contract_access import ContractAccess
from servitwin.usecases.price_guarantee import GuaranteePrice, PriceGuarantee
from servitwin.usecases.run_trial import RunTrial, Trial

Found = TypeVar("Found")
_YEAR_HOURS = Decimal("365.25") * 24


class CustomersCosts(msgspec.Struct, frozen=True):
    """What the customer says of itself, a year and for all machines of the offer.

    Attributes:
        cost_per_hour: what an hour down costs it.
        visits: visits that it pays for today, and that the fee covers; cost_per_visit: what one of them costs it.
    """

    cost_per_hour: Estimate
    visits: Estimate
    cost_per_visit: Estimate


class CustomersGain(msgspec.Struct, frozen=True):
    """What the offer is worth to the customer in a year, against the twelve months of the trial.

    Attributes:
        down_hours: hours unavailable by the offer's terms; allowed_hours: what the level leaves of them.
        saved_hours: less down time if the level is kept exactly; none where the machines did better.
        saved: its worth, with the visits that the fee covers; low and high hold it in 90 of 100 cases.
        if_kept: ``saved`` less the fee.
        as_last_year: were the machines down as in the trial: visits, credit, less bonus and fee.
        fee: of a year, credit and bonus of the trial brought to a year.
    """

    down_hours: Decimal
    allowed_hours: Decimal
    saved_hours: Decimal
    saved: Money
    low: Money
    high: Money
    fee: Money
    credit: Money
    bonus: Money
    if_kept: Money
    as_last_year: Money


class Evaluated(msgspec.Struct, frozen=True):
    """An offer as it stands on the form. What cannot be computed says why; the rest stands.

    ``overlaps``: guarantees that hold for one of its machines at the same time with the same rank.
    """

    offer: Agreement
    price: GuaranteePrice | None
    price_problem: Fault | None
    trial: Trial | None
    trial_problem: Fault | None
    gain: CustomersGain | None
    overlaps: tuple[str, ...]


class EvaluateOffer:
    """Computes what a contract file would mean, and keeps nothing.

    ``readable``: whether somebody may read all that a twin (id) did.
    """

    def __init__(
        self,
        agree: AgreeContract,
        access: ContractAccess,
        readable: Callable[[Actor, str], bool],
        price: PriceGuarantee,
        trial: RunTrial,
        now: Callable[[], int],
    ) -> None:
        self._agree = agree
        self._access = access
        self._readable = readable
        self._price = price
        self._trial = trial
        self._now = now

    def evaluate(
        self, text: str, first: str, last: str, actor: Actor, costs: CustomersCosts | None = None
    ) -> Evaluated:
        """Evaluate a contract file over the local days [first, last) of the past.

        Raises:
            InvalidInputError: every fault of the file (``where`` is the key it concerns), faulty estimates,
                ``contract:machine-not-readable``.
            RefusedError: the actor's party is none of the offer's, or its people may not make offers.
        """
        if costs is not None:
            faults = [
                f
                for n in ("cost_per_hour", "visits", "cost_per_visit")
                if (f := check_estimate(getattr(costs, n), n)) is not None
            ]
            if faults:
                raise InvalidInputError(faults)
        offer = self._agree.draft("offer", text, actor)
        self._refuse_strange_machines(offer.contract, actor)
        now = self._now()
        price, price_problem = _tried(lambda: self._price.price(offer, now))
        trial, trial_problem = _tried(lambda: self._trial.run(offer, first, last, now))
        gain = _gain(offer.contract, trial, costs) if trial is not None and costs is not None else None
        others = [a for a in self._access.all_of(actor) if a.contract.id != offer.contract.id]
        guaranteed = overlapping(offer.contract, others) if offer.contract.guarantee is not None else []
        overlaps = tuple(c.reference for c in guaranteed if c.rank == offer.contract.rank)
        return Evaluated(offer, price, price_problem, trial, trial_problem, gain, overlaps)

    def _refuse_strange_machines(self, contract: Contract, actor: Actor) -> None:
        """Nobody learns what a machine did by writing an offer for it."""
        faults = [
            Fault(
                "contract:machine-not-readable",
                f"Your party may not read what {machine} did",
                "Ask its owner for a grant",
                f"machines[{place}]",
            )
            for place, machine in enumerate(contract.machines)
            if not self._readable(actor, machine)
        ]
        if faults:
            raise InvalidInputError(faults)


def _tried(ask: Callable[[], Found]) -> tuple[Found | None, Fault | None]:
    try:
        return ask(), None
    except (InvalidInputError, NotFoundError) as e:
        return None, e.fault


def _gain(contract: Contract, trial: Trial, costs: CustomersCosts) -> CustomersGain | None:
    guarantee = contract.guarantee
    results = [m for _, settled in trial.periods for m in settled.machines]
    whole = sum(p.end - p.start for p, _ in trial.periods)
    counted = sum(m.denominator for m in results)
    if guarantee is None or not counted:
        return None
    scale = _YEAR_HOURS / (Decimal(whole) / HOUR)
    hours = Decimal(counted) / HOUR * scale
    down = Decimal(counted - sum(m.numerator for m in results)) / HOUR * scale
    allowed = hours * (100 - guarantee.level) / 100
    fee = yearly_fee(contract)
    measured = Estimate(down, down, down)
    before = Baseline(
        contract.id, 0, contract.currency, measured, costs.cost_per_hour, costs.visits, costs.cost_per_visit, ""
    )
    kept = savings(before, min(down, allowed), Decimal(0), fee, seed=1)
    same = savings(before, down, Decimal(0), fee, seed=1)
    credit, bonus = (trial.total(name).times(scale).rounded() for name in ("credit", "bonus"))
    return CustomersGain(
        down_hours=down,
        allowed_hours=allowed,
        saved_hours=kept.hours,
        saved=kept.money,
        low=kept.low,
        high=kept.high,
        fee=fee,
        credit=credit,
        bonus=bonus,
        if_kept=kept.after_fee,
        as_last_year=same.after_fee + credit - bonus,
    )
