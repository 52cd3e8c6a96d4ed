"""The state now: changes when values do, turns unknown of silence alone, and comes back with the next word."""

from pathlib import Path

import pytest

from servitwin.domain.instant import NS
from servitwin.domain.machine_type import MachineType, SignalTest, StateMapping, StateRule
from servitwin.domain.signal import Reporting, SignalDefinition
from servitwin.domain.state_time import State
from servitwin.domain.twin import Dated, Twin
from servitwin.engines.records import SqlRecords, migrate
from servitwin.usecases.live_mirror import LiveMessage, LiveMirror, Value
from servitwin.usecases.registry import Registry
from servitwin.usecases.track_state import TrackState

UID = "019a0000-0000-7000-8000-000000000001"
TYPE = MachineType(
    "mill",
    1,
    signals=(
        SignalDefinition("execution", "text", reporting=Reporting("periodic", 5 * NS)),
        SignalDefinition("alarm", "condition"),
    ),
    states=StateMapping(
        (
            StateRule((SignalTest("alarm", ("fault",)),), State.FAILED, "fault:machine"),
            StateRule((SignalTest("execution", ("ACTIVE",)),), State.PRODUCING),
        ),
        word="execution",
        needs=("execution",),
        otherwise=State.STANDBY,
    ),
)


class Bench:
    def __init__(self, folder: Path) -> None:
        url = f"sqlite:///{folder / 'records.db'}"
        migrate(url)
        records = SqlRecords(url)
        records.add_machine_type(TYPE)
        records.save_twin(Twin(UID, "mill-1", "machine", type=(Dated("mill@1", 0),)))
        self.mirror = LiveMirror()
        self.track = TrackState(Registry(records), self.mirror)

    def hear(self, now: int, **values: Value) -> str | None:
        self.mirror.apply(LiveMessage("mill-1", UID, {n: (now, v, 0, now) for n, v in values.items()}))
        return self.said(self.track.changed(UID, now))

    @staticmethod
    def said(message: LiveMessage | None) -> str | None:
        return None if message is None else f"{message.values['_state'][1]} {message.values['_reason'][1]}".strip()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_state_is_told_once_and_again_when_it_changes(bench: Bench) -> None:
    assert bench.hear(10 * NS, execution="ACTIVE", alarm="normal||||") == "producing"
    assert bench.hear(11 * NS, execution="ACTIVE") is None
    assert bench.hear(12 * NS, execution="READY") == "standby"
    assert bench.hear(13 * NS, alarm="fault|100|||spindle\nwarning|7|||door") == "failed"


def test_silence_makes_it_unknown_and_the_next_word_known_again(bench: Bench) -> None:
    bench.hear(10 * NS, execution="ACTIVE", alarm="normal||||")
    assert bench.track.due(14 * NS) == []
    [message] = bench.track.due(16 * NS)
    assert bench.said(message) == "unknown stale"
    assert message.values["_state"][0] == 15 * NS, "unknown since the moment it should have spoken"
    assert bench.track.due(17 * NS) == [], "told twice"
    assert bench.hear(20 * NS, execution="ACTIVE") == "producing"


def test_unavailable_is_unknown(bench: Bench) -> None:
    bench.hear(10 * NS, execution="ACTIVE", alarm="normal||||")
    assert bench.hear(11 * NS, execution=None) == "unknown unavailable"
