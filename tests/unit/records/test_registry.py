"""The registry answers about twins and types from memory, with dates."""

import time

import pytest

from servitwin.domain.calendar import Calendar
from servitwin.domain.machine_type import MachineType
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.twin import Aggregate, Dated, Twin
from servitwin.engines.records import SqlRecords, migrate
from servitwin.usecases.registry import Registry


@pytest.fixture
def records(tmp_path):
    url = f"sqlite:///{tmp_path}/records.db"
    migrate(url)
    opened = SqlRecords(url)
    yield opened
    opened.close()


def test_it_reads_again_only_when_something_has_changed(records):
    registry = Registry(records)
    assert registry.reload() is False
    records.save_twin(Twin("u1", "mill-1", "machine"))
    assert registry.by_id("mill-1") is None
    assert registry.reload() is True
    assert registry.by_id("mill-1") == registry.by_uid("u1")
    assert registry.by_id("mill-1") is not None


def test_the_type_in_force_decides_which_signals_there_are(records):
    records.add_machine_type(MachineType("mill", 1, signals=(SignalDefinition("power", unit="kW"),)))
    records.add_machine_type(MachineType("mill", 2, signals=(SignalDefinition("power", unit="W"),)))
    records.save_twin(Twin("u1", "mill-1", "machine", type=(Dated("mill@1", 10, 20), Dated("mill@2", 20))))
    registry = Registry(records)
    assert [registry.signals("u1", at)["power"].unit for at in (5, 19, 20)] == ["kW", "kW", "W"]
    assert registry.type_at(registry.by_uid("u1"), 25).version == 2
    assert registry.signals("nobody", 5) == {}


def test_a_group_has_its_aggregates_as_signals_and_its_parts_with_dates(records):
    records.save_twin(Twin("u0", "hall", "factory", aggregates=(Aggregate("power", "sum", "power", "kW"),)))
    records.save_twin(Twin("u1", "line", "line", parent=(Dated("hall", 0),)))
    records.save_twin(Twin("u2", "mill", "machine", parent=(Dated("line", 0, 50), Dated("hall", 50))))
    records.save_twin(Twin("u3", "old", "machine", parent=(Dated("line", 0),), retired=30))
    registry = Registry(records)
    assert registry.signals("u0", 1)["power"].unit == "kW"
    assert [t.id for t in registry.children("line", 10)] == ["mill", "old"]
    assert [t.id for t in registry.descendants("hall", 10)] == ["line", "mill", "old"]
    assert [t.id for t in registry.descendants("hall", 60)] == ["line", "mill"]
    assert [t.id for t in registry.children("line", 60)] == []
    assert [t.id for t in registry.twins()] == ["hall", "line", "mill"]
    assert [t.id for t in registry.twins(retired=True)] == ["hall", "line", "mill", "old"]


def test_a_ring_of_parents_ends(records):
    records.save_twin(Twin("u1", "a", "line", parent=(Dated("b", 0),)))
    records.save_twin(Twin("u2", "b", "line", parent=(Dated("a", 0),)))
    assert [t.id for t in Registry(records).descendants("a", 1)] == ["b"]


def test_calendars(records):
    records.save_calendar(Calendar("two", "Europe/Helsinki"))
    records.save_twin(Twin("u1", "a", "machine", calendar="two"))
    registry = Registry(records)
    assert registry.calendar("two") == Calendar("two", "Europe/Helsinki")
    assert registry.calendar("none") is None


def test_thousands_of_twins_share_their_type_and_are_asked_cheaply(records):
    signals = tuple(SignalDefinition(f"s{i}") for i in range(50))
    records.add_machine_type(MachineType("mill", 1, signals=signals))
    with records._database.write() as connection:
        from servitwin.engines.records.tables import twins

        rows = [
            {"uid": f"u{i}", "id": f"t{i}", "kind": "machine", "body": _body(f"u{i}", f"t{i}")} for i in range(3000)
        ]
        connection.execute(twins.insert(), rows)
    began = time.process_time()
    registry = Registry(records)
    reading = time.process_time() - began
    assert registry.signals("u1", 5) is registry.signals("u2999", 5)
    began = time.process_time()
    for i in range(3000):
        registry.signals(f"u{i}", 5)
    assert time.process_time() - began < reading, "asking for signals must be far cheaper than reading the records"


def _body(uid: str, id: str) -> bytes:
    import msgspec

    return msgspec.json.encode(Twin(uid, id, "machine", type=(Dated("mill@1", 0),)))
