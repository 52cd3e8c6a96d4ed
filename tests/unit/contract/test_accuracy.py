"""Accuracy as a service level: what lies within the level of a reference signal, by pairs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pytest

from servitwin.domain.agreement import Agreement
from servitwin.domain.contract import PartnerTerm, ServiceLevel
from servitwin.domain.contract_period import Period
from servitwin.domain.instant import MINUTE, NS
from servitwin.domain.observation import Series
from servitwin.domain.signal import Reporting, SignalDefinition
from servitwin.domain.twin import Twin
from servitwin.formats.contract_file import read_contract
from servitwin.usecases.measure_levels import Measured, MeasureLevels
from tests.unit.contract.samples import MARCH, contract
from tests.unit.contract.test_warranty import FILE


class Plant:
    """One crane whose signals are given; history and registry at once."""

    def __init__(self, gap: int | None = None, **signals: list[tuple[float, float | None]]) -> None:
        self.signals_given = signals
        self.definitions = {
            name: SignalDefinition(name, "number", "Cel", reporting=Reporting("periodic", gap)) for name in signals
        }

    def by_id(self, id: str) -> Twin | None:
        return Twin("uid-crane", "crane", "machine") if id == "crane" else None

    def signals(self, uid: str, at: int) -> dict[str, SignalDefinition]:
        return self.definitions

    def many_series(self, wanted: Any, start: int, end: int) -> dict[tuple[str, str], Series]:
        found = {}
        for uid, name in wanted:
            rows = self.signals_given.get(name, [])
            number = np.array([np.nan if v is None else v for _, v in rows], np.float64)
            time = np.array([MARCH + round(s * NS) for s, _ in rows], np.int64)
            bad = np.array([2 if v is None else 0 for _, v in rows], np.uint8)
            found[uid, name] = Series(uid, name, time, number, None, None, bad, {})
        return found


def measured(plant: Plant, level: str = "0.5", reference: Any = "truth") -> list[Measured]:
    terms = ServiceLevel("accuracy", Decimal(level), "Cel", ("temperature",), Decimal(10), reference)
    agreed = contract(partners=(PartnerTerm("soft", Decimal(5), (terms,)),))
    period = Period("2026-03", "2026-03-01", "2026-04-01", MARCH, MARCH + 60 * MINUTE)
    measure = MeasureLevels(plant, plant)  # type: ignore[arg-type]
    return measure.measure(Agreement(agreed, "", 0), period, MARCH + 60 * MINUTE)


@pytest.mark.parametrize(
    ("said", "percent", "kept"),
    [
        ([(1, 20.5), (2, 19.5), (3, 20.0)], "100.00", True),  # just the level apart is within it
        ([(1, 20.6), (2, 20.0), (3, 20.0)], "66.67", False),
        ([(n, 20.0) for n in range(1, 20)] + [(20, 99.0)], "95.00", True),
        ([(1, None), (2, 20.0)], "100.00", True),  # no value is no inaccuracy: completeness tells of it
    ],
)
def test_the_share_within_the_level_is_measured(said: list[Any], percent: str, kept: bool) -> None:
    (one,) = measured(Plant(truth=[(0, 20.0)], temperature=said))
    assert (str(one.percent), one.kept, one.worst) == (percent, kept, "crane/temperature")


def test_only_pairs_close_in_time_are_compared() -> None:
    (one,) = measured(Plant(truth=[(0, 20.0)], temperature=[(59, 20.0), (61, 99.0)]))
    assert str(one.percent) == "100.00", "without a max_gap of the reference a minute apart is too long"
    (wide,) = measured(Plant(gap=100 * NS, truth=[(0, 20.0)], temperature=[(59, 20.0), (61, 99.0)]))
    assert str(wide.percent) == "50.00"


@pytest.mark.parametrize(
    "plant", [Plant(temperature=[(1, 2.0)]), Plant(truth=[(5, None)], temperature=[(6, 2.0)]), Plant()]
)
def test_without_a_pair_nothing_is_shown_and_nothing_is_taken(plant: Plant) -> None:
    (one,) = measured(plant)
    assert (one.percent, one.kept) == (None, True)


def test_without_a_reference_accuracy_is_not_measured() -> None:
    assert measured(Plant(truth=[(0, 1.0)], temperature=[(1, 2.0)]), reference=msgspec.UNSET) == []


def test_a_file_names_the_reference_of_accuracy_alone() -> None:
    level = "{measure: %s, level: 0.5, unit: Cel, signals: [a], reference: b}"
    partners = "partners: {soft: {share: 5, levels: [" + level + "]}}\n"
    read, faults = read_contract(FILE + partners % "accuracy")
    assert (faults, read.partners[0].levels[0].reference if read else "") == ([], "b")
    assert [f.code for f in read_contract(FILE + partners % "freshness")[1]] == ["contract:reference-unused"]
