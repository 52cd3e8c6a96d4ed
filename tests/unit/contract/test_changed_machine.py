"""A machine that changed its owner or its type inside a period, and an invoice number that is used twice."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from servitwin.domain.instant import HOUR
from servitwin.domain.machine_type import MachineType, SignalTest, StateMapping, StateRule
from servitwin.domain.observation import Observation
from servitwin.domain.settlement import MachineResult
from servitwin.domain.settlement_inputs import MachineInputs, SettlementInputs, TypeStretch, settle_inputs
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time import State
from servitwin.domain.state_time_track import series_of
from servitwin.domain.twin import Dated
from servitwin.engines.records import SqlRecords, migrate
from tests.unit.contract.samples import at, contract, march_of
from tests.unit.money.sample_invoice import invoice

EXECUTION = SignalDefinition("execution", "text")
MONTH = 744


def crane(version: int, stop: State) -> MachineType:
    """A crane whose word HALT means ``stop``."""
    rules = (
        StateRule((SignalTest("execution", equals=("RUN",)),), State.PRODUCING),
        StateRule((SignalTest("execution", equals=("HALT",)),), stop),
    )
    return MachineType("crane", version, signals=(EXECUTION,), states=StateMapping(rules, word="execution"))


def settled(types: tuple[TypeStretch, ...], owners: tuple[Dated, ...] = ()) -> MachineResult:
    """March 2026 of a crane that halts from hour 100 to 110 and from hour 500 to 510."""
    agreed = contract()
    machine = MachineInputs("crane", "uid-crane", types, owners=owners)
    inputs = SettlementInputs(agreed, march_of(agreed), at(-24), at(MONTH), at(MONTH), {}, (machine,))
    words = ((-24, "RUN"), (100, "HALT"), (110, "RUN"), (500, "HALT"), (510, "RUN"))
    rows = [Observation(at(hour), word, seq=n) for n, (hour, word) in enumerate(words)]
    return settle_inputs(inputs, {"crane": {"execution": series_of(rows, EXECUTION)}}).machines[0]


def hours(result: MachineResult, category: str) -> float:
    return result.totals[category] / HOUR


def test_each_type_says_what_a_word_means_in_its_own_time() -> None:
    whole = (TypeStretch(at(-24), at(MONTH), crane(1, State.FAILED)),)
    assert hours(settled(whole), "unavailable") == 20
    halves = (
        TypeStretch(at(-24), at(505), crane(1, State.FAILED)),
        TypeStretch(at(505), at(MONTH), crane(2, State.STANDBY)),
    )
    assert hours(settled(halves), "unavailable") == 15
    assert hours(settled(halves), "available") == MONTH - 15
    # Between two types nobody knows what its words mean: that time has no data, and follows the rule for gaps.
    hole = (
        TypeStretch(at(-24), at(200), crane(1, State.FAILED)),
        TypeStretch(at(200), at(300)),
        TypeStretch(at(300), at(MONTH), crane(1, State.FAILED)),
    )
    assert sum(settled(hole).totals.values()) == MONTH * HOUR
    assert hours(settled(hole), "available") < MONTH - 20


@pytest.mark.parametrize(
    ("owner", "outside"),
    [("plant", 0), ("maker", 0), ("stranger", MONTH - 300)],
)
def test_time_with_an_owner_who_is_no_party_does_not_count(owner: str, outside: float) -> None:
    whole = (TypeStretch(at(-24), at(MONTH), crane(1, State.FAILED)),)
    result = settled(whole, (Dated("plant", at(-24), at(300)), Dated(owner, at(300), None)))
    assert hours(result, "outside") == outside
    assert hours(result, "unavailable") == (20 if not outside else 10)
    assert sum(result.totals.values()) == MONTH * HOUR


def test_an_invoice_number_is_used_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/records.db"
    migrate(url)
    records = SqlRecords(url)
    assert records.add_invoice(invoice("S"))
    assert not records.add_invoice(invoice("AE")), "the same seller and number"
    assert records.add_invoice(msgspec.structs.replace(invoice("S"), seller_party="other")), "another seller's series"
    assert [i.buyer_party for i in records.invoices("aurora")] == ["s"]
    assert [records.next_invoice_number("aurora", "2026") for _ in range(3)] == [
        "2026-00001",
        "2026-00002",
        "2026-00003",
    ]
    records.close()
