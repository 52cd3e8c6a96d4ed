"""Savings by service and customer: sums are those of the parts, currencies stay apart, terms say what is sold."""

from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.contract import MeterPrice, Price, PriceTier
from servitwin.domain.money import Money
from servitwin.domain.savings_table import CountedSavings, service_of, sums_by
from tests.unit.contract.samples import contract, guarantee

CENTS = st.integers(-(10**9), 10**9).map(lambda n: Decimal(n) / 100)
ROWS = st.lists(
    st.builds(
        lambda n, who, currency, hours, saved, after: CountedSavings(
            f"c-{n}", "subscription", who, hours, Money(saved, currency), Money(after, currency)
        ),
        st.integers(0, 99), st.sampled_from(["kivi", "lift"]), st.sampled_from(["EUR", "SEK"]), CENTS, CENTS, CENTS,
    ),
    max_size=12,
)  # fmt: skip


@given(ROWS)
def test_sums_make_the_whole_in_each_currency_and_name_every_contract(rows):
    found = sums_by(rows, lambda r: r.customer)
    assert [(s.name, s.money.currency) for s in found] == sorted({(r.customer, r.money.currency) for r in rows})
    for currency in ("EUR", "SEK"):
        mine = [r for r in rows if r.money.currency == currency]
        sums = [s for s in found if s.money.currency == currency]
        assert sum(s.money.amount for s in sums) == sum(r.money.amount for r in mine)
        assert sum(s.after_fee.amount for s in sums) == sum(r.after_fee.amount for r in mine)
        assert sum(s.hours for s in sums) == sum(r.hours for r in mine)
        assert sorted(c for s in sums for c in s.contracts) == sorted(r.contract for r in mine)


def test_what_is_sold_is_told_by_the_terms():
    metered = Price(Decimal(1), usage=(MeterPrice("parts", (PriceTier(Decimal(1)),)),))
    guaranteed = contract(guarantee(), price=metered)
    assert service_of(guaranteed) == "availability-guarantee"
    without = msgspec.structs.replace(guaranteed, guarantee=None)
    assert service_of(without) == "metered-use"
    assert service_of(msgspec.structs.replace(without, price=Price(Decimal(9)))) == "subscription"
