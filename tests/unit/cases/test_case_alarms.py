"""Which alarms a case owns, and how it keeps them: one owner, whatever the order; chatter condensed; floods marked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.alarm import Alarm
from servitwin.domain.alarm_figure import chatter_runs
from servitwin.domain.case_alarm import (
    MOST_ENTRIES,
    CaseAlarms,
    Claim,
    SeenAlarm,
    case_alarms,
    change_of,
    changed_alarms,
    condense,
    owner,
    same_place,
    stretches,
    window,
)
from servitwin.domain.finding import Finding
from servitwin.domain.instant import DAY, HOUR, MINUTE, NS

T = 1_000 * HOUR


def found(start: float, end: float | None = None, component: str = "brake", severity: str = "high") -> Finding:
    """Times are seconds after T."""
    last = None if end is None else T + int(end * NS)
    at = T + int(start * NS)
    return Finding("u", "r", "d", component, severity, at, at, last)  # type: ignore[arg-type]


def claim(case: str, *findings: Finding, component: str = "brake", severity: str = "high", name: str = "r") -> Claim:
    return Claim(case, component, severity, name, findings)  # type: ignore[arg-type]


def alarm(
    start: float, end: float | None = None, code: str = "7", component: str = "brake", severity: str = "fault"
) -> SeenAlarm:
    last = None if end is None else T + int(end * NS)
    told = Alarm(f"{component}.system", code, "hot", severity, T + int(start * NS), last)  # type: ignore[arg-type]
    return SeenAlarm(told, component)


def test_the_window_is_a_minute_around_and_ends_after_the_first_hour() -> None:
    assert window(found(0, 30)) == (T - MINUTE, T + 90 * NS)
    assert window(found(0)) == window(found(0, 10 * 3600)) == (T - MINUTE, T + HOUR + MINUTE)
    assert stretches([found(0, 30), found(300, 310), found(3000, 3010)]) == [
        (T - MINUTE, T + 370 * NS), (T + 2940 * NS, T + 3070 * NS),
    ]  # fmt: skip
    [(start, end)] = stretches([found(s, s + 1) for s in range(0, 2 * 86_400, 600)])
    assert end - start == DAY


def test_of_its_component_what_was_active_and_of_the_rest_what_was_raised() -> None:
    one = [claim("c", found(100, 200))]
    assert owner(alarm(0, 41), one) == "c", "its component, still active a minute before"
    assert owner(alarm(0, 40), one) is None
    assert owner(alarm(0, 150, component="hook"), one) is None, "elsewhere it has to be raised in the window"
    assert owner(alarm(40, 41, component="hook"), one) == "c"
    assert owner(alarm(39.9, 41, component="hook"), one) is None
    assert owner(alarm(259.9, component=""), one) == "c"
    assert owner(alarm(260), one) is None
    assert owner(alarm(150, component="brake.disc"), one) == "c"
    assert not same_place("brake", "brakes")
    assert not same_place("", "brake")


def test_an_alarm_has_one_owner_by_fixed_rules() -> None:
    near, far = claim("n", found(100, 200)), claim("f", found(140, 200), component="hook")
    assert owner(alarm(150), [far, near]) == "n", "its own component comes first, though both are violated then"
    before, after = claim("b", found(0, 100)), claim("a", found(150, 200))
    assert owner(alarm(120), [after, before]) == "b", "20 s after the one, 30 s before the other"
    assert owner(alarm(130), [before, after]) == "a"
    grave = claim("g", found(100, 200), severity="safety", name="z")
    assert owner(alarm(150), [near, grave]) == "g"
    assert owner(alarm(150), [near, claim("e", found(90, 200))]) == "e", "which began first"
    assert owner(alarm(150), [near, claim("m", found(100, 200), name="a")]) == "m"
    assert owner(alarm(150), [near, claim("k", found(100, 200))]) == "k"


def test_three_in_a_minute_are_one_entry() -> None:
    assert chatter_runs([0, 30 * NS, 60 * NS, 61 * NS]) == [(0, 3)]
    assert chatter_runs([0, 1, 2, HOUR, HOUR + 1, HOUR + 2]) == [(0, 2), (3, 5)]
    assert chatter_runs([0, 30 * NS, 61 * NS]) == []
    entries = condense([alarm(0, 1), alarm(20, 21), alarm(40, 50), alarm(500, 501), alarm(10, 11, code="8")])
    assert [(e.code, (e.start - T) // NS, (e.last - T) // NS, e.count) for e in entries] == [
        ("7", 0, 40, 3), ("8", 10, 10, 1), ("7", 500, 500, 1),
    ]  # fmt: skip
    assert entries[0].end == T + 50 * NS


def test_a_flood_is_marked_and_the_case_stays_one() -> None:
    claims = [claim("c", found(0, 600))]
    ten = [alarm(50 * n, 50 * n + 1, code=str(n)) for n in range(10)]
    spans = stretches(claims[0].findings)
    assert case_alarms("c", claims, ten, spans).floods == ()
    told = case_alarms("c", claims, [*ten, alarm(510, code="x")], spans)
    assert [f.count for f in told.floods] == [11]
    assert len(told.entries) == 11
    apart = [*ten, alarm(510, code="x", component="hook")]
    assert len(case_alarms("c", claims, apart, spans).floods) == 1, "the twin's alarms are counted, wherever raised"


def test_a_case_lists_so_many_and_counts_the_rest() -> None:
    claims = [claim("c", found(0, 3000))]
    many = [alarm(n, n + 1, code=str(n)) for n in range(MOST_ENTRIES + 30)]
    told = case_alarms("c", claims, many, stretches(claims[0].findings))
    assert (len(told.entries), told.more) == (MOST_ENTRIES, 30)


def test_an_alarm_that_escalates_at_once_is_kept_as_two_and_settles() -> None:
    claims = [claim("c", found(0, 100))]
    both = [alarm(5, 5, severity="warning"), alarm(5, 9)]
    wanted = case_alarms("c", claims, both, stretches(claims[0].findings))
    assert len(wanted.entries) == 2
    change = change_of(CaseAlarms(), wanted, T, settled=False)
    assert change is not None
    assert change_of(changed_alarms(CaseAlarms(), change), wanted, T + HOUR, settled=True) is None


def test_a_thousand_rises_of_one_alarm_take_few_steps() -> None:
    claims = [claim("c", found(0))]
    spans = stretches(claims[0].findings)
    rises = [alarm(3 * n, 3 * n + 1) for n in range(1000)]
    kept, steps = CaseAlarms(), 0
    for n in range(1000):
        wanted = case_alarms("c", claims, rises[: n + 1], spans)
        change = change_of(kept, wanted, T + 3 * n * NS + NS, settled=False)
        if change is not None:
            kept, steps = changed_alarms(kept, change), steps + 1
    assert steps <= 30
    last = change_of(kept, case_alarms("c", claims, rises, spans), T + HOUR, settled=True)
    assert last is not None
    [entry] = changed_alarms(kept, last).entries
    assert (entry.count, entry.last) == (1000, T + 2997 * NS)


seconds = st.integers(0, 900)
alarms = st.lists(
    st.builds(
        lambda start, long, code, component, severity: alarm(
            start, None if long is None else start + long, code, component, severity
        ),
        seconds,
        st.none() | st.integers(0, 120),
        st.sampled_from("12"),
        st.sampled_from(["", "brake", "brake.disc", "hook"]),
        st.sampled_from(["warning", "fault"]),
    ),
    max_size=25,
    unique_by=lambda s: (s.alarm.signal, s.alarm.code, s.alarm.start, s.alarm.severity),
)


def claims_of(many: list[tuple[Finding, str, str]]) -> list[Claim]:
    return [claim(f"c{i}", f, component=c, severity=s, name=f"r{i % 2}") for i, (f, c, s) in enumerate(many)]


claims_given = st.lists(
    st.tuples(
        st.builds(lambda at, long: found(at, None if long is None else at + long), seconds, st.none() | seconds),
        st.sampled_from(["", "brake", "hook"]),
        st.sampled_from(["safety", "high", "low"]),
    ),
    min_size=1,
    max_size=4,
).map(claims_of)


@given(alarms, claims_given, st.randoms(use_true_random=False), st.integers(1, 8))
def test_the_order_in_which_alarms_and_findings_come_decides_nothing(seen, claims, chance, rounds) -> None:
    spans = {c.case: stretches(c.findings) for c in claims}
    whole = {c.case: case_alarms(c.case, claims, seen, spans[c.case]) for c in claims}
    order, later = seen[:], claims[:]
    chance.shuffle(order)
    chance.shuffle(later)
    kept = {c.case: CaseAlarms() for c in claims}
    for n in range(1, rounds + 1):
        known, there = order[: len(order) * n // rounds], later[: max(1, len(later) * n // rounds)]
        for c in there:
            wanted = case_alarms(c.case, there, known, spans[c.case])
            change = change_of(kept[c.case], wanted, T + 10 * n * NS, settled=n == rounds)
            if change is not None:
                kept[c.case] = changed_alarms(kept[c.case], change)
    assert kept == whole
    owned = [owner(s, claims) for s in seen]
    counted = sum(e.count for told in whole.values() for e in told.entries)
    assert counted == sum(o is not None for o in owned), "each alarm is in one case, once"


@given(alarms, st.lists(st.tuples(st.integers(0, 9000), st.none() | st.integers(1, 5000)), min_size=1, max_size=12))
def test_of_many_violations_none_is_overlooked(seen, times) -> None:
    findings = [found(at, None if long is None else at + long) for at, long in sorted(times, key=lambda t: t[0])]
    one = [claim("c", *findings), claim("z", found(450, 460), component="hook")]
    each = [claim("c", f) for f in findings] + one[1:]
    assert [owner(s, one) for s in seen] == [owner(s, each) for s in seen]
