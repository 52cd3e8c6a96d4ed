"""Cases of one place and time belong together, and the most severe one leads."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.case import Case, CaseStep, Found, case_standing
from servitwin.domain.case_alarm import SEVERITY_RANK
from servitwin.domain.case_relation import leads, related
from servitwin.domain.finding import Explanation, Finding
from servitwin.domain.instant import MINUTE


def standing(id, component="brake", severity="high", stretches=((0, 10),), twin="crane"):
    """A case whose requirement was violated in stretches of minutes; an end of None: it goes on."""
    case = Case(id, twin, f"{component}.{id}", "d", component, severity, 0)
    found = [
        Finding(twin, case.requirement, "d", component, severity, a * MINUTE, a * MINUTE, b and b * MINUTE)
        for a, b in stretches
    ]
    steps = [
        CaseStep(id, n, n, "monitor", Found(f, Explanation(f.start, (), ()), ())) for n, f in enumerate(found, start=1)
    ]
    return case_standing(case, steps, 1 << 62)


def names(found):
    return [s.case.id for s in found]


def test_what_was_violated_at_one_place_and_time_belongs_together():
    slips = standing("slips", severity="safety", stretches=[(2, 5)])
    others = [
        standing("thin", stretches=[(0, None)]),
        standing("later", stretches=[(6, 8)]),  # a minute after its end is near enough, one and a half is not
        standing("much-later", stretches=[(8, 9)]),
        standing("lining", component="brake.lining", severity="low", stretches=[(3, 4)]),
        standing("hoist", component="hoist"),
        standing("whole", component=""),
        standing("elsewhere", twin="crane-2"),
    ]
    assert names(related(slips, [slips, *others])) == ["thin", "later", "lining"]
    assert leads([slips, *others]) == {"thin": "slips", "later": "slips", "lining": "slips", "much-later": "slips"}


def test_who_stands_alone_is_led_by_nobody():
    assert leads([standing("one"), standing("two", stretches=[(20, 30)])]) == {}


def followed(cases):
    """As the page says it: of those that are related the most severe one leads, then the one that began first."""

    def rank(s):
        return SEVERITY_RANK[s.case.severity], s.findings[0].start, s.case.id

    found = {}
    for s in sorted(cases, key=rank):
        before = [o for o in related(s, cases) if rank(o) < rank(s)]
        if before:
            found[s.case.id] = found.get(before[0].case.id, before[0].case.id)
    return found


CASES = st.lists(
    st.tuples(
        st.sampled_from(["", "a", "a.b", "c"]),
        st.sampled_from(["safety", "high", "low"]),
        st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9)), min_size=1, max_size=3),
    ),
    max_size=7,
)


@given(CASES, st.randoms(use_true_random=False))
def test_relation_is_mutual_and_no_order_decides_who_leads(drawn, random):
    cases = [
        standing(f"c{n}", component, severity, [(a, a + length) for a, length in sorted(stretches)])
        for n, (component, severity, stretches) in enumerate(drawn)
    ]
    for one in cases:
        for other in cases:
            assert (other in related(one, cases)) == (one in related(other, cases))
    led = leads(cases)
    assert led == followed(cases)
    assert not set(led) & set(led.values()), "who leads is led"
    shuffled = list(cases)
    random.shuffle(shuffled)
    assert leads(shuffled) == led


@pytest.mark.parametrize("minutes", [1, 5, None], ids=["apart", "touching", "all go on"])
def test_thousands_of_cases_of_one_machine_are_related_at_once(minutes):
    cases = [
        standing(f"c{n:04d}", severity="low" if n % 2 else "high", stretches=[(4 * n, minutes and 4 * n + minutes)])
        for n in range(2000)
    ]
    began = time.process_time()
    led = leads(cases)
    assert time.process_time() - began < 0.3
    assert len(led) == {1: 0, 5: 1000, None: 1999}[minutes]
