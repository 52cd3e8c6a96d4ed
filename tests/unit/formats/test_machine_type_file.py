"""Machine type files: what is right becomes a machine type, what is wrong is told all at once with its place."""

from pathlib import Path

import pytest

from servitwin.domain.machine_type import SignalTest
from servitwin.domain.signal import Reporting
from servitwin.domain.state_time import State
from servitwin.formats.machine_type_file import file_references, read_machine_type

TEXT = (Path(__file__).parent / "mill-500.yaml").read_text("utf-8")


def faults_of(text, **more):
    machine_type, faults = read_machine_type(text, "mill.yaml", **more)
    assert (machine_type is None) == bool(faults)
    assert all(f.line and f.column and f.message and f.file == "mill.yaml" for f in faults)
    return faults


def replaced(old, new):
    assert TEXT.count(old) == 1, f"{old!r} is {TEXT.count(old)} times in the example"
    return TEXT.replace(old, new)


def only(old, new, **more):
    """The one fault after one change; its line is that of the change."""
    text = replaced(old, new)
    (fault,) = faults_of(text, **more)
    return fault, text.splitlines()[fault.line - 1][fault.column - 1 :]


def test_the_example_becomes_the_machine_type_it_describes():
    mill, faults = read_machine_type(TEXT)
    assert faults == []
    assert mill.reference == "mill-500@2"
    assert [s.name for s in mill.signals] == [
        "execution", "alarm", "feed_override", "door", "local", "parts.total", "product",
        "spindle.temperature", "zpos", "spindle.motor.current",
    ]  # fmt: skip
    temperature = mill.signal("spindle.temperature")
    assert (temperature.unit, temperature.range, temperature.limits) == ("Cel", (15.0, 80.0), (-40.0, 250.0))
    assert temperature.reporting == Reporting("periodic", 5_000_000_000)
    assert temperature.component == "spindle"
    assert mill.signal("zpos").component == "spindle"
    assert [c.path for c in mill.components] == ["spindle", "spindle.motor"]
    assert mill.components[0].requirements[0].severity == "high"
    command = mill.commands[0]
    assert (command.timeout, command.effect_within) == (10_000_000_000, 30_000_000_000)
    assert command.effect == SignalTest("feed_override", parameter="percent")
    assert command.refused_when == (SignalTest("door", (True,)),)
    assert mill.states.rules[0].when == (SignalTest("alarm", ("fault",)),)
    assert mill.states.rules[1].when[1] == SignalTest("feed_override", above=0.0)
    assert mill.states.otherwise is State.STANDBY
    assert mill.production.ideal_cycle_s == {"": 42.0, "bracket-a": 55.0}
    assert mill.modes.local == (SignalTest("local", (True,)),)


CHANGES = [
    ("unit: Cel", "unit: °C", "unit:unknown", "°C", "'Cel'"),
    ("version: 2", "version: two", "file:wrong-type", "two", "whole number"),
    ("version: 2", "version: 0", "file:out-of-range", "0", "from 1"),
    ("version: 2", "version:", "file:empty", "", "whole number"),
    ("risk: setting", "risk: settings", "file:not-a-choice", "settings", "'setting'"),
    ("    risk: setting", "    risc: setting\n    risk: setting", "file:unknown-key", "risc", "'risk'"),
    ("machine_type: mill-500", "machine_type: Mill 500!", "file:not-understood", "Mill", "lower-case"),
    ("title: 500 mm mill", "title: 500", "file:wrong-type", "500", 'quotes: "500"'),
    ("accuracy: 0.5", 'accuracy: "0.5"', "file:wrong-type", '"0.5"', "without quotes"),
    ("accuracy: 0.5", "accuracy: .nan", "file:out-of-range", ".nan", "Half-width"),
    ("range: [15, 80]", "range: [80, 15]", "signal:range-reversed", "[80", "lower"),
    ("range: [15, 80]", "range: [15, 80, 90]", "file:wrong-count", "[15", "[low, high]"),
    ("range: [15, 80]", "range: [15, 800]", "signal:range-outside-limits", "[15", "Widen"),
    ("max_gap: 5s", "max_gap: 5 parsecs", "duration:not-understood", "5 parsecs", "5s"),
    (", max_gap: 5s", "", "signal:max-gap-missing", "{mode", "max_gap"),
    ("parts.total: {unit: \"1\"}", "parts.total: {title: Parts}", "signal:unit-missing", "parts.total", '`unit: "1"`'),
    ("product: {type: text}", "product: {type: text, unit: kW}", "signal:not-a-number", "unit", "Remove"),
    ("door: {type: flag}", "door: {type: flag, values: [a]}", "signal:values-not-text", "values", "Remove"),
    ("name: zpos", "name: execution", "signal:duplicate", "z:", "another name"),
    ("  door: {type: flag}", "  d ö: {type: flag}\n  door: {type: flag}", "file:name-not-allowed", "d ö", "Letters"),
    ("  door: {type: flag}", "  _x: {type: flag}\n  door: {type: flag}", "file:name-not-allowed", "_x", "beginning"),
    ("signal: feed_override", "signal: feed_overide", "signal:unknown", "feed_overide", "'feed_override'"),
    ("parameter: percent", "parameter: per", "command:parameter-unknown", "per,", "percent"),
    ("signal: feed_override, parameter: percent", "signal: feed_override", "command:effect-empty", "effect:", "equals"),
    ("signal: feed_override, parameter", "signal: zpos, parameter", "command:effect-other-unit", "percent", "unit"),
    ("signal: feed_override, parameter", "signal: door, parameter", "command:effect-wrong-type", "percent", "type"),
    ("minimum: 0", "minimum: 200", "parameter:range-reversed", "200", "lower"),
    ("word: execution", "word: exec", "signal:unknown", "exec", "'execution'"),
    ("needs: [execution]", "needs: [execution, power]", "signal:unknown", "power", "signals"),
    ("execution: ACTIVE, feed", "execution: ACTIV, feed", "test:value-not-possible", "ACTIV", "'ACTIVE'"),
    ("alarm: {equals: fault}", "alarm: {equals: faulty}", "test:value-not-possible", "faulty", "'fault'"),
    ("alarm: {equals: fault}", "alarm: {above: 3}", "test:not-a-number", "above", "equals"),
    ("alarm: {equals: fault}", "alarm: {}", "file:empty", "{}", "equals"),
    ("feed_override: {above: 0}", "feed_override: {above: 5, below: 5}", "test:never-true", "feed", "less"),
    ("feed_override: {above: 0}", "feed_override: fast", "test:value-not-possible", "fast", "number"),
    ("local: {local: true}", "local: {local: 1}", "test:value-not-possible", "1", "true or false"),
    ("state: failed", "state: broken", "file:not-a-choice", "broken", "producing"),
    ("total: parts.total", "total: product", "signal:wrong-type", "product", "number"),
    ("default: 42s", "default: 0s", "production:cycle-zero", "0s", "how long"),
    ("file: documents/manual.pdf", "file: ../manual.pdf", "file:outside-folder", "../", ".."),
    ("file: documents/manual.pdf", "file: /etc/passwd", "file:outside-folder", "/etc", ".."),
    ("file: documents/manual.pdf", 'file: "C:\\\\x.pdf"', "file:outside-folder", '"C', ".."),
    ("language: en", "language: English", "file:not-understood", "English", "en or fi"),
    ("    title: Main spindle", "    title: Main spindle\n    title: Again", "yaml:duplicate-key", "title", "Remove"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code", "at", "hint"), CHANGES, ids=[f"{c[2]} {c[1][:24]}" for c in CHANGES])
def test_each_fault_has_its_place_and_its_remedy(old, new, code, at, hint):
    fault, rest = only(old, new)
    assert fault.code == code, str(fault)
    assert rest.startswith(at), f"{fault} points at {rest[:30]!r}"
    assert hint in fault.hint


def test_all_faults_are_told_at_once_in_the_order_of_the_file():
    text = TEXT
    for old, new, *_ in (CHANGES[i] for i in (0, 1, 4, 6, 17, 21, 27, 36, 38)):
        text = text.replace(old, new)
    faults = faults_of(text)
    assert len(faults) == 9
    assert [(f.line, f.column) for f in faults] == sorted((f.line, f.column) for f in faults)


def test_a_fault_does_not_bring_false_ones_with_it():
    assert [f.code for f in faults_of(replaced('feed_override: {unit: "%"', "feed_override: {unit: [1]"))] == [
        "file:wrong-type"
    ]


def test_a_faulty_entry_of_a_list_does_not_shift_the_places_of_the_others():
    text = replaced("needs: [execution]", "needs: [5, execution, exec]")
    assert [(f.code, text.splitlines()[f.line - 1][f.column - 1 :]) for f in faults_of(text)] == [
        ("file:wrong-type", "5, execution, exec]"),
        ("signal:unknown", "exec]"),
    ]


def test_parties_are_checked_where_they_are_known():
    assert faults_of(TEXT, parties={"acme-machines"}) == []
    (fault,) = faults_of(TEXT, parties={"acme-machine"})
    assert (fault.code, fault.hint) == ("machine-type:party-unknown", "Did you mean 'acme-machine'?")


def test_files_that_a_type_names_are_given_with_their_places():
    found = file_references(TEXT)
    assert [f.name for f in found] == ["documents/manual.pdf"]
    assert TEXT.splitlines()[found[0].line - 1][found[0].column - 1 :].startswith("documents/manual.pdf")


def test_json_is_read_as_well():
    machine_type, faults = read_machine_type('{"machine_type": "m", "version": 1, "signals": {"p": {"unit": "kW"}}}')
    assert faults == []
    assert machine_type.signals[0].unit == "kW"


def test_the_shipped_example_types_are_right():
    folder = Path(__file__).parents[3] / "examples" / "demo" / "machine-types"
    files = sorted(folder.glob("*.yaml"))
    assert files
    for path in files:
        assert read_machine_type(path.read_text("utf-8"), path.name)[1] == []
