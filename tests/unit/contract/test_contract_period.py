"""Settlement periods: no overlap, no hole, whatever the clock does; fees that make the whole."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.contract import Price
from servitwin.domain.contract_period import fee_of, period_of, periods
from servitwin.domain.error import NotFoundError
from servitwin.domain.instant import HOUR
from servitwin.domain.money import sum_money
from servitwin.domain.settlement import contract_end, contract_start
from tests.unit.contract.samples import contract, guarantee

HELSINKI = {"time_zone": "Europe/Helsinki"}


def test_summer_time_makes_a_month_an_hour_shorter_or_longer() -> None:
    agreed = contract(**HELSINKI)
    hours = {p.id: (p.end - p.start) // HOUR for p in periods(agreed)}
    assert (hours["2026-03"], hours["2026-10"], hours["2026-02"]) == (743, 745, 672)
    assert sum(hours.values()) == 8760


def test_a_leap_day_is_a_day() -> None:
    agreed = contract(start="2028-01-01", end="2029-01-01", **HELSINKI)
    assert (period_of(agreed, "2028-02").end - period_of(agreed, "2028-02").start) // HOUR == 29 * 24
    assert sum_money((fee_of(agreed, p) for p in periods(agreed)), "EUR").amount == 48000


@pytest.mark.parametrize(
    ("settle", "ids"),
    [("quarter", ["2026-Q1", "2026-Q2"]), ("year", ["2026"]), ("contract", ["contract"])],
)
def test_names_of_periods(settle: Any, ids: list[str]) -> None:
    agreed = contract(guarantee(settle=settle), start="2026-02-15", end="2026-06-01")
    assert [p.id for p in periods(agreed)] == ids
    with pytest.raises(NotFoundError, match="contract:period-unknown"):
        period_of(agreed, "2026-13")


@pytest.mark.parametrize("per", ["month", "quarter", "year", "contract"])
def test_a_years_fee_is_shared_to_the_cent(per: Any) -> None:
    agreed = contract(price=Price(Decimal("1000.01"), per))
    total = sum_money((fee_of(agreed, p) for p in periods(agreed)), "EUR").amount
    assert total == Decimal("1000.01") * {"month": 12, "quarter": 4}.get(per, 1)


def test_part_of_a_month_goes_by_its_days() -> None:
    agreed = contract(start="2026-01-11", price=Price(Decimal(3100), "month"))
    assert fee_of(agreed, periods(agreed)[0]).amount == Decimal("2100.00")


DAYS = st.dates(date(2020, 1, 1), date(2040, 1, 1))
ZONES = st.sampled_from(["UTC", "Europe/Helsinki", "America/Sao_Paulo", "Asia/Kolkata", "Pacific/Apia"])


@given(DAYS, st.integers(1, 900), ZONES, st.sampled_from(["month", "quarter", "year", "contract"]))
def test_periods_cover_any_contract_without_overlap_or_hole(first: date, days: int, zone: str, settle: Any) -> None:
    last = first + timedelta(days)
    agreed = contract(guarantee(settle=settle), start=first.isoformat(), end=last.isoformat(), time_zone=zone)
    found = periods(agreed)
    assert found[0].start == contract_start(agreed)
    assert found[-1].end == contract_end(agreed)
    assert all(a.end == b.start for a, b in pairwise(found))
    assert all(p.end > p.start for p in found)
    assert len({p.id for p in found}) == len(found)
    assert msgspec.structs.asdict(found[0])["first"] == first.isoformat()
