"""Price a guarantee from the machines' own history, and forecast where a period that runs will end."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from servitwin.domain.agreement import Agreement
from servitwin.domain.contract import Contract, Guarantee
from servitwin.domain.contract_period import Period, fee_of, periods
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.failure_law import Law
from servitwin.domain.guarantee_time import Category
from servitwin.domain.instant import DAY, HOUR, format_instant
from servitwin.domain.money import Money
from servitwin.domain.risk_calibration import Calibration, calibrate
from servitwin.domain.risk_price import Forecast, RiskPrice, credit_curve, forecast, laws_of, price
from servitwin.domain.settlement import MachineResult
from servitwin.domain.state_time import State
from servitwin.domain.time_table import STATES
from servitwin.usecases.settle_period import SettlePeriod

HISTORY = 365 * DAY


class GuaranteePrice(msgspec.Struct, frozen=True):
    """The price of a guarantee with what it was made of; money for all machines and one settlement period."""

    risk: RiskPrice
    period_fee: Money
    expected_credit: Money
    premium: Money
    from_: int
    to: int
    machines: tuple[str, ...]
    notes: tuple[str, ...]


class MachineForecast(msgspec.Struct, frozen=True):
    """A machine's forecast, and the expected credit in money."""

    twin: str
    fee: Money
    forecast: Forecast
    expected_credit: Money


class PriceGuarantee:
    """Prices and forecasts over the same history and rules as the settlement."""

    def __init__(self, settle: SettlePeriod) -> None:
        self._settle = settle

    def price(
        self,
        agreement: Agreement,
        now: int,
        *,
        start: int | None = None,
        end: int | None = None,
        years: int = 100_000,
        confidence: float = 0.9,
        common: float = 0.0,
        seed: int = 1,
    ) -> GuaranteePrice:
        """Price a contract from the history of its machines (default: the last twelve months).

        Raises:
            InvalidInputError: ``contract:no-guarantee``, ``price:not-in-percent``, ``price:no-history``,
                ``price:no-repair``.
        """
        contract = agreement.contract
        guarantee = _guarantee(contract)
        curve = credit_curve(guarantee)
        if curve is None:
            raise InvalidInputError(
                Fault(
                    "price:not-in-percent",
                    "Liquidated damages depend on the output, and are no share of the fee",
                    "Price a stepped, linear or table form",
                    "credit",
                )
            )
        until = now if end is None else min(end, now)
        kept = start is None and end is None
        since = _a_year_before(until) if start is None else start
        found = self._settle.look_back(agreement, since, until, kept=kept, after_acceptance=True)
        results = found.settled.machines
        up, down = laws_of([r.time for r in results])
        if up.hours <= 0:
            raise InvalidInputError(
                Fault(
                    "price:no-history", "Nothing is known of these machines in that time", "Give another range", "from"
                )
            )
        if not _repairs_known(down):
            raise InvalidInputError(
                Fault(
                    "price:no-repair",
                    f"Not one failure was seen in {up.hours:.0f} h: nothing tells how long a repair takes, and so "
                    "what a failure would cost",
                    "Price it from a longer time, or together with machines alike that have failed",
                    "from",
                )
            )
        typical = _typical(contract)
        risk = price(
            up, down, curve, _hours(typical), years=years, confidence=confidence, machines=len(contract.machines),
            common=common, seed=seed,
        )  # fmt: skip
        fee = fee_of(contract, typical)
        return GuaranteePrice(
            risk,
            fee,
            share_of(fee, risk.expected),
            share_of(fee, risk.premium),
            since,
            until,
            contract.machines,
            _notes(risk, since, until),
        )

    def calibrate(
        self, agreement: Agreement, now: int, *, confidence: float = 0.9, portfolios: int = 60, seed: int = 1
    ) -> Calibration:
        """Whether such premiums cover what they promise, over fleets simulated from what is known of these machines.

        Raises:
            InvalidInputError: as :meth:`price`.
        """
        contract = agreement.contract
        risk = self.price(agreement, now, years=1000, confidence=confidence, seed=seed).risk
        curve = credit_curve(_guarantee(contract))
        assert curve is not None  # pricing refuses what has none
        return calibrate(
            risk.up, risk.down, curve, _hours(_typical(contract)), fleet_hours=risk.up.hours,
            machines=len(contract.machines), confidence=confidence, portfolios=portfolios, seed=seed,
        )  # fmt: skip

    def forecast(
        self, agreement: Agreement, period: Period, now: int, *, paths: int = 20_000, seed: int = 1
    ) -> list[MachineForecast]:
        """Where each machine will end; the laws come from the last twelve months of the contract's machines.

        Nothing where the credit is no share of the fee, or where no failure tells how long a repair takes.
        """
        contract = agreement.contract
        guarantee = _guarantee(contract)
        curve = credit_curve(guarantee)
        if curve is None:
            return []
        history = self._settle.look_back(
            agreement, _a_year_before(now), now, kept=True, after_acceptance=True
        ).settled.machines
        up, down = laws_of([r.time for r in history])
        if not _repairs_known(down):
            return []
        found = []
        for result in self._settle.glance(agreement, period, now).settled.machines:
            outcome = forecast(
                up, down, curve,
                available=result.numerator / HOUR, counted=result.denominator / HOUR,
                remaining=max(0, period.end - now) / HOUR, is_down=_is_down(result), level=guarantee.level,
                paths=paths, seed=seed,
            )  # fmt: skip
            found.append(MachineForecast(result.twin, result.fee, outcome, share_of(result.fee, outcome.expected)))
        return found


def _a_year_before(instant: int) -> int:
    """The same all day, so that the past is worked out once."""
    return (instant - HISTORY) // DAY * DAY


def _repairs_known(down: Law) -> bool:
    """Whether anything was seen that tells how long a stop lasts; a mean of no hours would make failures free."""
    return down.hours > 0


def _typical(contract: Contract) -> Period:
    """The period in the middle: the first and the last may be cut short."""
    all_of_them = periods(contract)
    return all_of_them[len(all_of_them) // 2]


def _hours(period: Period) -> float:
    return (period.end - period.start) / HOUR


def _guarantee(contract: Contract) -> Guarantee:
    if contract.guarantee is None:
        raise InvalidInputError(
            Fault("contract:no-guarantee", f"{contract.reference} guarantees nothing", "There is nothing to price")
        )
    return contract.guarantee


def _is_down(result: MachineResult) -> bool:
    """Whether the last known stretch counts as unavailable."""
    time = result.time
    known = [n for n, s in enumerate(time.table.state.tolist()) if STATES[s] is not State.UNKNOWN]
    return bool(known) and int(time.category[known[-1]]) == Category.UNAVAILABLE


def share_of(fee: Money, share: float) -> Money:
    """A simulated share of a fee, as money: an estimate, rounded to the smallest unit."""
    return fee.times(Decimal(repr(share))).rounded()


def _notes(risk: RiskPrice, since: int, until: int) -> tuple[str, ...]:
    up, down = risk.up, risk.down
    notes = [
        f"{up.failures} failures in {up.hours:.0f} h available, {down.failures} repairs in {down.hours:.0f} h, "
        f"{format_instant(since)[:10]} to {format_instant(until)[:10]}",
        f"Time between failures: {up.note}; time to restore: {down.note}",
    ]
    if up.failures < 5:
        notes.append("Few failures: the price rests on what they leave open more than on what they tell")
    return tuple(notes)
