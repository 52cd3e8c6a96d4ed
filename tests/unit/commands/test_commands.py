"""Commands from the request to the effect seen, with the real records and registry and a clock turned by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from servitwin.domain.error import UnavailableError
from servitwin.domain.machine_type import CommandDefinition, ControlModes, MachineType, Parameter, SignalTest
from servitwin.domain.signal import Reporting, SignalDefinition
from servitwin.domain.twin import Dated, Twin
from servitwin.engines.records import SqlRecords, migrate
from servitwin.usecases.command_desk import CommandDesk
from servitwin.usecases.live_mirror import LiveMessage
from servitwin.usecases.registry import Registry

S = 10**9
START = 1_790_000_000 * S

PRESS = MachineType(
    "press",
    1,
    signals=(
        SignalDefinition("feed", unit="%", accuracy=0.5, reporting=Reporting("periodic", 60 * S)),
        SignalDefinition("execution", type="text", reporting=Reporting("on-change", 60 * S)),
        SignalDefinition("controller", type="text", reporting=Reporting("on-change", 60 * S)),
        SignalDefinition("estop", type="text", reporting=Reporting("on-change", 60 * S)),
        SignalDefinition("consent", type="flag", reporting=Reporting("on-change", 60 * S)),
        SignalDefinition("drive", type="condition"),
    ),
    commands=(
        CommandDefinition(
            "set-feed",
            "setting",
            parameters=(Parameter("percent", unit="%", minimum=10, maximum=150),),
            effect=SignalTest("feed", parameter="percent"),
            refused_when=(SignalTest("drive", equals=("fault",)),),
        ),
        CommandDefinition("start", "motion", effect=SignalTest("execution", equals=("ACTIVE",))),
        CommandDefinition("blink", "information"),
        CommandDefinition("bypass-guard", "safety"),
        CommandDefinition(
            "mix",
            "setting",
            parameters=(
                Parameter("recipe", type="text", values=("a", "b")),
                Parameter("fast", type="flag", required=False),
            ),
        ),
    ),
    modes=ControlModes(
        local=(SignalTest("controller", equals=("MANUAL",)),),
        maintenance=(SignalTest("controller", equals=("SERVICE",)),),
        safety_stop=(SignalTest("estop", equals=("TRIGGERED",)),),
        consent=(SignalTest("consent", equals=(True,)),),
    ),
)
GOOD = {"feed": 100.0, "execution": "READY", "controller": "AUTOMATIC", "estop": "ARMED", "consent": True}
PROGRAM = {"id": "planner", "kind": "program", "party": "maker"}
PERSON = {"id": "olli", "kind": "person", "party": "customer"}


class Scene:
    """A press that reports, a desk, and what was published."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder}/records.db"
        migrate(self.url)
        self.now = START
        self.sent: list[tuple[str, Any]] = []
        self.numbers = 0
        self.log: list[bytes] = []  # entries of the evidence log
        self.records = SqlRecords(self.url)
        self.records.add_machine_type(PRESS)
        self.records.save_twin(Twin("u1", "press-1", "machine", type=(Dated("press@1", 0),)))
        self.desk = self.new_desk()
        self.report(**GOOD, _state="standby")

    def new_desk(self) -> CommandDesk:
        registry = Registry(self.records)
        return CommandDesk(self.records, registry, self.publish, lambda: self.now, self.new_id, self.log.__getitem__)

    def new_id(self) -> str:
        self.numbers += 1
        return f"c{self.numbers}"

    def publish(self, subject: str, payload: bytes) -> None:
        self.sent.append((subject, msgspec.json.decode(payload)))

    def report(self, *, received: int | None = None, **values: Any) -> None:
        at = self.now
        live = {n: (at, v, 0, at if received is None else received) for n, v in values.items()}
        self.desk.on_live(LiveMessage("press-1", "u1", live))

    def ask(self, name: str, actor: dict[str, str] = PROGRAM, key: str = "", **parameters: Any) -> dict[str, Any]:
        request = {"twin": "press-1", "name": name, "actor": actor, "parameters": parameters, "key": key}
        return dict(msgspec.json.decode(self.desk.handle(msgspec.json.encode(request))))

    def after(self, seconds: float) -> None:
        self.now += int(seconds * S)
        self.desk.tick(self.now)

    def ack(self, command: str, status: str = "done", twin: str = "press-1") -> None:
        self.desk.on_ack(f"servitwin.{twin}.commands.{command}.ack", msgspec.json.encode({"status": status}))

    def status(self, command: str) -> str:
        kept = self.records.command(command)
        assert kept is not None
        return kept.status

    def level(self) -> str:
        self.after(61)
        return str(self.records.level_history("u1")[-1]["level"])

    @property
    def commanded(self) -> list[tuple[str, Any]]:
        return [s for s in self.sent if ".commands." in s[0]]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    s = Scene(tmp_path)
    yield s
    s.records.close()


def test_sent_acknowledged_effective_and_a_twin_by_it(scene: Scene) -> None:
    assert scene.level() == "shadow"
    scene.report(**GOOD)
    answer = scene.ask("set-feed", percent=80)
    assert answer["status"] == "sent"
    subject, wire = scene.commanded[0]
    assert subject == "servitwin.press-1.commands.set-feed"
    assert wire["id"] == answer["id"] and wire["parameters"] == {"percent": 80}
    assert wire["expires"] > wire["issued"]
    scene.after(1)
    scene.ack(answer["id"])
    assert scene.status("c1") == "acknowledged"
    scene.after(1)
    scene.report(feed=80.3)
    assert scene.status("c1") == "effective", "80.3 cannot be told from 80 by a sensor of accuracy 0.5"
    assert scene.level() == "twin"
    assert [e["action"] for e in scene.records.audit_entries()] == ["command.send"]
    happened = [e["data"]["status"] for s, e in scene.sent if s == "happened" and e["kind"] == "command"]
    assert happened == ["sent", "acknowledged", "effective"]


def test_people_alone_leave_a_shadow(scene: Scene) -> None:
    scene.ask("set-feed", PERSON, percent=80)
    scene.after(1)
    scene.ack("c1")
    scene.after(1)
    scene.report(feed=80.0)
    assert scene.status("c1") == "effective"
    assert scene.level() == "shadow"


def test_acknowledged_without_effect_leaves_a_shadow(scene: Scene) -> None:
    scene.ask("set-feed", percent=80)
    scene.ack("c1")
    scene.after(1)
    scene.report(feed=100.0)
    scene.after(31)
    assert scene.status("c1") == "without_effect"
    scene.report(feed=80.0)
    assert scene.status("c1") == "without_effect", "an effect after its window is none"
    assert scene.level() == "shadow"


def test_an_effect_that_held_before_is_no_evidence(scene: Scene) -> None:
    scene.ask("set-feed", percent=100)
    scene.ack("c1")
    scene.after(1)
    scene.report(feed=100.0)
    scene.after(31)
    assert scene.status("c1") == "without_effect"
    assert scene.level() == "shadow"


def test_what_was_observed_before_the_acknowledgement_is_no_evidence(scene: Scene) -> None:
    scene.ask("set-feed", percent=80)
    scene.after(1)
    scene.report(feed=80.0)
    scene.after(1)
    scene.ack("c1")
    scene.desk.on_live(LiveMessage("press-1", "u1", {"feed": (scene.now - 60 * S, 80.0, 0, scene.now)}))
    assert scene.status("c1") == "acknowledged"


def test_a_cut_write_back_shows_a_shadow_again(scene: Scene) -> None:
    scene.ask("set-feed", percent=80)
    scene.after(1)
    scene.ack("c1")
    scene.report(feed=80.0)
    assert scene.level() == "twin"
    scene.report(**GOOD)
    scene.ask("set-feed", percent=70)
    scene.after(11)
    assert scene.status("c2") == "timed_out"
    assert scene.level() == "shadow"
    history = scene.records.level_history("u1")
    assert [h["level"] for h in history] == ["shadow", "twin", "shadow"]
    assert history[-2]["evidence"]["command"] == "c1"


def test_a_late_or_foreign_acknowledgement_counts_for_nothing(scene: Scene) -> None:
    scene.ask("set-feed", percent=80)
    scene.ack("c1", twin="press-2")
    assert scene.status("c1") == "sent"
    scene.now += 11 * S
    scene.ack("c1")
    assert scene.status("c1") == "timed_out"
    scene.ack("c1")
    scene.ack("nobody-knows-it")
    scene.desk.on_ack("servitwin.press-1.commands", b"")
    scene.desk.on_ack("servitwin.press-1.commands.c1.ack", b"\xff")
    assert scene.status("c1") == "timed_out"


def test_a_clock_that_jumps_leaves_no_command_open_and_makes_no_twin(scene: Scene) -> None:
    ahead = scene.ask("set-feed", percent=80)["id"]
    scene.after(3600)  # an hour forward: it waited too long, and a late answer changes nothing
    scene.ack(ahead)
    assert scene.status(ahead) == "timed_out"
    scene.report(**GOOD)
    back, answered = scene.ask("set-feed", percent=70)["id"], scene.ask("blink")["id"]
    scene.after(-4)  # what clocks drift, and are set back by
    scene.ack(answered)
    assert (scene.status(back), scene.status(answered)) == ("sent", "acknowledged")
    scene.after(-7200)
    assert scene.status(back) == "timed_out"
    told = scene.records.command(back)
    assert told is not None and "set back" in told.reason_text
    scene.report(**GOOD | {"feed": 70.0})
    assert scene.status(back) == "timed_out"


def test_the_machines_own_refusal_is_kept(scene: Scene) -> None:
    scene.ask("set-feed", percent=80)
    scene.ack("c1", status="rejected")
    assert scene.status("c1") == "rejected"


@pytest.mark.parametrize(
    ("values", "name", "reason"),
    [
        ({"controller": "MANUAL"}, "set-feed", "command:local-control"),
        ({"controller": "SERVICE"}, "set-feed", "command:maintenance"),
        ({"_state": "repair"}, "set-feed", "command:maintenance"),
        ({"estop": "TRIGGERED"}, "set-feed", "command:safety-stop"),
        ({"drive": "fault|1|||X"}, "set-feed", "command:refused-by-type"),
        ({"_state": "unknown"}, "start", "command:state-unknown"),
        ({"_connection": "offline"}, "start", "command:state-unknown"),
        ({"estop": None}, "start", "command:state-unknown"),
        ({"consent": False}, "start", "command:no-local-consent"),
        ({"consent": None}, "start", "command:no-local-consent"),
        ({}, "bypass-guard", "command:safety"),
    ],
)
def test_refused_by_the_machines_state(scene: Scene, values: dict[str, Any], name: str, reason: str) -> None:
    scene.report(**values)
    answer = scene.ask(name, **({"percent": 80} if name == "set-feed" else {}))
    assert (answer["status"], answer["reason"]) == ("refused", reason)
    assert scene.commanded == []
    assert scene.records.audit_entries()[0]["action"] == "command.refused"


def test_motion_goes_out_with_consent_and_is_refused_when_the_machine_has_been_silent(scene: Scene) -> None:
    assert scene.ask("start")["status"] == "sent"
    scene.after(120)
    assert scene.ask("start")["reason"] == "command:state-unknown"
    assert scene.ask("blink")["status"] == "sent", "information needs no known state"


def test_a_condition_that_is_cleared_allows_again(scene: Scene) -> None:
    scene.report(drive="fault|1|||X")
    scene.report(drive="fault|1|||X\nfault|2|||Y")
    scene.report(drive="fault|2|||Y")
    assert scene.ask("set-feed", percent=80)["status"] == "refused"
    scene.report(drive="normal||||")
    assert scene.ask("set-feed", percent=80)["status"] == "sent"


def test_each_entry_of_a_condition_counts_for_as_long_as_live_state_names_it(scene: Scene) -> None:
    scene.report(drive="warning|7|||door\nfault|1|||X")
    assert scene.ask("set-feed", percent=80)["reason"] == "command:refused-by-type", "a warning hides no fault"
    scene.report(drive="warning|7|||door")
    assert scene.ask("set-feed", percent=80)["status"] == "sent", "what is no longer named is over"


def test_the_allow_list_bounds_the_risk_of_each_kind_of_issuer(scene: Scene) -> None:
    scene.records.set_setting("commands.max_risk.program", "information")
    assert scene.ask("set-feed", percent=80)["reason"] == "command:risk-not-allowed"
    assert scene.ask("set-feed", PERSON, percent=80)["status"] == "sent"
    assert scene.ask("blink")["status"] == "sent"
    scene.records.set_setting("commands.max_risk.program.press-1", "setting")
    assert scene.ask("set-feed", percent=80)["status"] == "sent"
    scene.records.set_setting("commands.max_risk.program", "safety")
    scene.records.set_setting("commands.max_risk.program.press-1", "safety")
    assert scene.ask("set-feed", percent=80)["reason"] == "command:risk-not-allowed", "a wrong setting allows least"
    assert scene.ask("start", {**PROGRAM, "kind": "machine"})["reason"] == "command:issuer"


@pytest.mark.parametrize(
    ("name", "parameters", "codes"),
    [
        ("set-feed", {}, ["command:parameter-missing"]),
        ("set-feed", {"percent": 200}, ["command:parameter-range"]),
        ("set-feed", {"percent": True}, ["command:parameter-type"]),
        ("set-feed", {"percent": "80", "speed": 1}, ["command:parameter-unknown", "command:parameter-type"]),
        ("mix", {"recipe": "c", "fast": 1}, ["command:parameter-value", "command:parameter-type"]),
    ],
)
def test_all_faults_of_the_parameters_at_once(
    scene: Scene, name: str, parameters: dict[str, Any], codes: list[str]
) -> None:
    answer = scene.ask(name, **parameters)
    assert [f["code"] for f in answer["faults"]] == codes
    assert all(f["where"].startswith("parameters.") for f in answer["faults"])
    assert scene.commanded == []


def test_the_same_key_is_one_command(scene: Scene) -> None:
    first = scene.ask("set-feed", key="k", percent=80)
    assert scene.ask("set-feed", key="k", percent=80) == first
    assert len(scene.commanded) == 1
    clash = scene.ask("set-feed", key="k", percent=70)
    assert clash["error"] == "conflict" and clash["faults"][0]["code"] == "command:key-used"


def test_unknown_twin_command_and_unreadable_request(scene: Scene) -> None:
    assert scene.ask("dance")["faults"][0]["code"] == "command:unknown"
    request = {"twin": "x", "name": "start", "actor": PROGRAM}
    assert msgspec.json.decode(scene.desk.handle(msgspec.json.encode(request)))["error"] == "not-found"
    assert msgspec.json.decode(scene.desk.handle(b"{"))["faults"][0]["code"] == "command:wrong-shape"


def test_open_commands_and_levels_survive_the_process(scene: Scene) -> None:
    scene.ask("set-feed", percent=80)
    scene.after(1)
    scene.ack("c1")
    scene.desk = scene.new_desk()
    scene.after(1)
    scene.report(feed=80.0)
    assert scene.status("c1") == "effective"
    assert scene.level() == "twin"
    rows = len(scene.records.level_history("u1"))
    scene.desk = scene.new_desk()
    scene.after(1)
    assert len(scene.records.level_history("u1")) == rows, "no level falls before live state came back"
    scene.report(**GOOD)
    scene.after(61)
    assert len(scene.records.level_history("u1")) == rows


def test_silence_for_the_window_makes_a_model(scene: Scene) -> None:
    assert scene.level() == "shadow"
    scene.after(86400)
    assert scene.level() == "model"


def test_the_levels_of_a_fleet_are_written_together_and_again_if_the_records_refuse(scene: Scene) -> None:
    uids = [f"f{i}" for i in range(40)]
    for uid in uids:
        scene.records.save_twin(Twin(uid, uid, "machine", type=(Dated("press@1", 0),)))
    scene.desk = scene.new_desk()
    for uid in uids:
        scene.desk.on_live(LiveMessage(uid, uid, {"feed": (scene.now, 1.0, 0, scene.now)}))
    engine = scene.records._database.engine
    begun: list[str] = []
    refuse = True

    def count(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement == "BEGIN IMMEDIATE":
            begun.append(statement)
        if refuse and statement.startswith("INSERT INTO events"):
            raise OperationalError(statement, None, Exception("disk I/O error"))

    event.listen(engine, "before_cursor_execute", count)
    with pytest.raises(UnavailableError):
        scene.after(1)
    assert not any(scene.records.level_history(u) for u in uids), "all or nothing"
    assert not any(subject == "happened" for subject, _ in scene.sent), "what is not on record is not told"
    refuse = False
    begun.clear()
    scene.after(1)
    assert len(begun) == 1
    assert {scene.records.level_history(u)[-1]["level"] for u in uids} == {"shadow"}
    told = [e["subject"] for subject, e in scene.sent if subject == "happened"]
    assert set(uids) <= set(told) and len(told) == len(set(told))
