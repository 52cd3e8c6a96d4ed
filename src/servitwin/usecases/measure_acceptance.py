"""Measure the criteria of a machine's acceptance on the twin: factory and site tests that nobody has to believe."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import msgspec

from servitwin.domain.acceptance import Criterion, Finding
from servitwin.domain.agreement import Agreement
from servitwin.domain.canonical_json import decimal_text
from servitwin.domain.instant import HOUR, format_instant
from servitwin.domain.state_time import State
from servitwin.domain.time_table import STATES
from servitwin.usecases.ports import HistoryReader
from servitwin.usecases.registry import Registry
from servitwin.usecases.settle_period import SettlePeriod

MOST_UNKNOWN = Decimal(5)  # percent of a test run that may be unknown before it shows nothing
_PLACES = Decimal("0.000001")


class MeasureAcceptance:
    """Measures what a contract's criteria say, over the hours that they say."""

    def __init__(self, history: HistoryReader, registry: Registry, settle: SettlePeriod) -> None:
        self._history = history
        self._registry = registry
        self._settle = settle

    def measure(self, agreement: Agreement, twin: str, end: int) -> list[Finding]:
        """Every criterion that the twin measures, each over its own hours before ``end`` (ns UTC)."""
        found = []
        for criterion in agreement.contract.criteria:
            if criterion.measured:
                start = end - int((criterion.hours or Decimal(0)) * HOUR)
                if criterion.signal:
                    found.append(self._signal(twin, criterion, start, end))
                else:
                    found.append(self._availability(agreement, twin, criterion, start, end))
        return found

    def _signal(self, twin: str, criterion: Criterion, start: int, end: int) -> Finding:
        machine = self._registry.by_id(twin)
        definition = None if machine is None else self._registry.signals(machine.uid, start).get(criterion.signal)
        if machine is None or definition is None:
            return _open(criterion, f"{twin} has no signal {criterion.signal}", start, end)
        wanted = [(machine.uid, criterion.signal)]
        columns = self._history.downsample(wanted, start, end, end - start, [criterion.statistic, "count"])[wanted[0]]
        count = sum(bucket.count for bucket in columns["count"])
        value = columns[criterion.statistic][0].value if columns[criterion.statistic] else None
        if not count or isinstance(value, str | bool | None):
            return _open(criterion, f"No figures of {criterion.signal} in {_range(start, end)}", start, end)
        exact = Decimal(repr(float(value))).quantize(_PLACES, ROUND_HALF_EVEN)
        text = f"{decimal_text(exact)} {definition.unit}, {criterion.statistic} of {count} values, {_range(start, end)}"
        return _judged(criterion, exact, text, start, end)

    def _availability(self, agreement: Agreement, twin: str, criterion: Criterion, start: int, end: int) -> Finding:
        only = msgspec.structs.replace(agreement.contract, machines=(twin,))
        alone = msgspec.structs.replace(agreement, contract=only)
        result = self._settle.look_back(alone, start, end).settled.machines[0]
        table = result.time.table
        unknown = int((table.end - table.start)[table.state == STATES.index(State.UNKNOWN)].sum())
        share = Decimal(unknown) / (end - start) * 100
        if not result.denominator or share > MOST_UNKNOWN:
            text = f"{share:.1f} % of {_range(start, end)} is unknown, more than {MOST_UNKNOWN} %"
            return _open(criterion, text, start, end)
        value = Decimal(result.numerator) / result.denominator * 100
        guarantee = agreement.contract.guarantee
        formula = guarantee.formula if guarantee else ""
        text = f"{value:.4f} % by {formula}, {share:.1f} % unknown, {_range(start, end)}"
        return _judged(criterion, value, text, start, end)


def _range(start: int, end: int) -> str:
    return f"{format_instant(start)[:19]}Z to {format_instant(end)[:19]}Z"


def _judged(criterion: Criterion, value: Decimal, text: str, start: int, end: int) -> Finding:
    return Finding(criterion.name, "passed" if criterion.met_by(value) else "failed", text, value, start, end)


def _open(criterion: Criterion, text: str, start: int, end: int) -> Finding:
    return Finding(criterion.name, "open", text, None, start, end)
