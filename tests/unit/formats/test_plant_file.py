"""Plant files: twins with their dates, parties, calendars, connections; all faults at once with their places."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.calendar import Shift
from servitwin.domain.error import Fault
from servitwin.domain.instant import parse_instant
from servitwin.domain.machine_type import MachineType
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.twin import Aggregate, Dated
from servitwin.formats.plant_calendar import DAYS, read_days
from servitwin.formats.plant_file import Known, read_plant

TEXT = (Path(__file__).parent / "plant.yaml").read_text("utf-8")
SIGNALS = (SignalDefinition("feed_override", unit="%"), SignalDefinition("mode", type="text"))
KNOWN = Known(types={f"mill-500@{v}": MachineType("mill-500", v, signals=SIGNALS) for v in (1, 2)})


def day(text):
    return parse_instant(f"{text}T00:00:00Z")


def faults_of(text, known=KNOWN, **more):
    plant, faults = read_plant(text, "plant.yaml", known=known, **more)
    assert (plant is None) == bool(faults)
    assert all(f.line and f.column and f.message and f.file == "plant.yaml" for f in faults)
    return faults


def test_the_example_becomes_the_plant_it_describes():
    plant, faults = read_plant(TEXT, known=KNOWN)
    assert faults == []
    twins = {t.id: t for t in plant.twins}
    assert list(twins) == ["hall-1", "line-1", "mill-1", "mill-2"], "parents come first"
    mill = twins["mill-1"]
    assert mill.commissioned == day("2024-02-01")
    assert mill.type.entries == (
        Dated("mill-500@1", day("2024-02-01"), day("2025-06-01")), Dated("mill-500@2", day("2025-06-01")),
    )  # fmt: skip
    assert [(e.value, e.start, e.end) for e in mill.owner.entries] == [
        ("acme-machines", day("2024-01-01"), day("2024-02-01")), ("customer-x", day("2024-02-01"), None),
    ]  # fmt: skip
    assert (mill.owner.dated, mill.place.dated) == (True, False)
    assert twins["hall-1"].aggregates == (
        Aggregate("feed", "sum", "feed", "1", 10_000_000_000, "unknown"), Aggregate("lines", "count", "feed", "1"),
    )  # fmt: skip
    assert twins["line-1"].aggregates[0].unit == "%", "without a unit it is the children's"
    assert plant.calendars[0].shifts == (
        Shift("early", (0, 1, 2, 3, 4), 360, 840, ((600, 615),)),
        Shift("late", (0, 1, 2, 3, 4), 840, 1320),
        Shift("weekend", (5,), 1320, 1800, ((1560, 1590),)),
    )
    assert plant.connections[0].config == {"seed": 1, "machines": [{"twin": "mill-1"}]}


CHANGES = [
    ("mill-500@2, from", "mill-500@3, from", "twin:type-unknown", "mill-500@3", "mill-500@1"),
    ("mill-500@2, from", "mill-500, from", "file:not-understood", "mill-500,", "mill-500@2"),
    ("{party: customer-x, from", "{party: customer-y, from", "twin:party-unknown", "customer-y", "'customer-x'"),
    ("    part_of: line-1", "    part_of: lin-1", "twin:twin-unknown", "lin-1", "'line-1'"),
    ("    part_of: line-1", "    part_of: mill-1", "plant:cycle", "mill-1", "another"),
    ("calendar: two-shift", "calendar: two-shifts", "twin:calendar-unknown", "two-shifts", "'two-shift'"),
    ("2024-02-01}, {party", "2024-03-01}, {party", "twin:periods-overlap", "2024-02-01}]", "follow"),
    ("2024-02-01}, {party", "2023-03-01}, {party", "twin:period-reversed", "2023-03-01", "later"),
    ("from: 2025-06-01", "from: 2025-06-31", "date:not-understood", "2025-06-31", "2026-12-24"),
    ("commissioned: 2024-02-01", "commissioned: 2024-02-01T10:00", "time:not-rfc3339", "2024", "offset"),
    ("serial: M5-0002", "serial: M5-0001", "twin:serial-duplicate", "M5-0001", "one machine"),
    ("serial: M5-0002", "serial: 0002", "file:wrong-type", "0002", 'quotes: "0002"'),
    ("mill-2: {type: mill-500@2, ", "mill-2: {", "twin:kind-missing", "mill-2", "kind"),
    ("  mill-2:", "  Mill 2:", "file:name-not-allowed", "Mill 2", "Lower-case"),
    ("kind: factory", "kind: factori", "file:not-a-choice", "factori", "'factory'"),
    ("Europe/Helsinki", "Europe/Helsingfors", "calendar:time-zone-unknown", "Europe", "Europe/Helsinki"),
    ('from: "14:00"', 'from: "13:59"', "calendar:shifts-overlap", "late", "one end "),
    ('from: "14:00"', 'from: "25:00"', "file:not-understood", '"25:00"', "06:00"),
    ("days: mon-fri", "days: mo-fr", "file:not-understood", "mo-fr", "mon-fri"),
    ("10:00-10:15", "05:00-05:15", "calendar:break-outside-shift", '"05:00', "shift"),
    ("closed: [2026-12-25]", "closed: [2026-13-25]", "date:not-understood", "2026-13", "2026-12-24"),
    ("mean: children.feed_override", "mean: children.feed", "aggregate:signal-unknown", "children", "feed_override"),
    ("mean: children.feed_override", "mean: feed_override", "file:not-understood", "feed_over", "children."),
    ("mean: children.feed_override", "mean: children.mode", "aggregate:not-a-number", "children", "count"),
    ("mean: children", "weighted_mean: children", "aggregate:weight", "feed", "weight"),
    ("{mean: children.feed_override}", "{unit: kW}", "aggregate:one-function", "feed", "exactly one"),
    ('unit: "1"}', "unit: kW}", "unit:not-convertible", "kW", "%"),
    ("seed: 1", "password: x", "plant:secret-in-file", "password", "running node"),
    ("machines: [{twin: mill-1}]", "machines: [{api_key: x}]", "plant:secret-in-file", "api_key", "running node"),
    ("title: Demo plant", "accounts: {a: {}}", "plant:secret-in-file", "accounts", "running node"),
    ("title: Demo plant", "machine_credentials: []", "plant:secret-in-file", "machine_cred", "running node"),
    ("title: Demo plant", "titel: Demo plant", "file:unknown-key", "titel", "'title'"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code", "at", "hint"), CHANGES, ids=[f"{c[2]} {c[1][:24]}" for c in CHANGES])
def test_each_fault_has_its_place_and_its_remedy(old, new, code, at, hint):
    assert TEXT.count(old) == 1
    text = TEXT.replace(old, new)
    faults = faults_of(text)
    fault = faults[0]
    assert [f.code for f in faults] == [code], [str(f) for f in faults]
    rest = text.splitlines()[fault.line - 1][fault.column - 1 :]
    assert rest.startswith(at), f"{fault} points at {rest[:30]!r}"
    assert hint in fault.hint + fault.message


def test_a_ring_of_twins_is_told_once_with_all_of_its_members():
    text = TEXT.replace("title: Hall 1", "part_of: mill-1")
    assert [(f.code, f.message) for f in faults_of(text)] == [
        ("plant:cycle", "These twins are parts of each other: mill-1 -> line-1 -> hall-1 -> mill-1")
    ]


def test_twins_that_were_part_of_each_other_at_different_times_make_no_ring():
    text = """
plant: p
twins:
  a: {kind: line, part_of: [{twin: b, from: 2024-01-01, to: 2025-01-01}]}
  b: {kind: line, part_of: [{twin: a, from: 2025-01-01}]}
"""
    assert faults_of(text) == []
    assert [f.code for f in faults_of(text.replace("from: 2025-01-01", "from: 2024-12-31"))] == ["plant:cycle"]


def test_a_chain_of_a_thousand_twins_is_no_trouble():
    chain = "".join(f"  t{i}: {{kind: line, part_of: t{i + 1}}}\n" for i in range(1000))
    plant, faults = read_plant("plant: p\ntwins:\n" + chain + "  t1000: {kind: line}\n")
    assert faults == []
    assert [t.id for t in plant.twins[:2]] == ["t1000", "t999"]


def test_the_connector_checks_its_own_configuration_at_its_place():
    asked = []

    def check(connector, config):
        asked.append((connector, config))
        return [Fault("simulator:twin-unknown", "No such machine", "Name another", "machines[0].twin")]

    (fault,) = faults_of(TEXT, check_connection=check)
    assert asked == [("simulator", {"seed": 1, "machines": [{"twin": "mill-1"}]})]
    assert TEXT.splitlines()[fault.line - 1][fault.column - 1 :].startswith("mill-1}]")


def test_without_knowledge_of_types_they_are_not_checked():
    assert faults_of(TEXT, Known()) == []


@given(st.sets(st.integers(0, 6), min_size=1))
def test_days_of_a_list_and_of_text_are_the_same(days):
    names = [DAYS[d] for d in sorted(days)]
    assert read_days(names) == read_days(",".join(names)) == tuple(sorted(days))


@given(st.integers(0, 6), st.integers(0, 6))
def test_a_range_of_days_goes_forward_through_the_week(first, last):
    wanted = {(first + i) % 7 for i in range((last - first) % 7 + 1)}
    assert set(read_days(f"{DAYS[first]}-{DAYS[last]}")) == wanted


def test_the_shipped_example_is_right():
    path = Path(__file__).parents[3] / "examples" / "demo" / "plant.yaml"
    assert read_plant(path.read_text("utf-8"), path.name)[1] == []
