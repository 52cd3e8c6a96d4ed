"""The update gate: what passes is signed and sent, what does not is refused by the platform and by the machine."""

import base64
import time
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from servitwin.connectors.simulator import plugin as simulator
from servitwin.connectors.simulator.connector import SimulatorConnector
from servitwin.connectors.simulator.plant import SimulatorConfig
from servitwin.domain.agreement import signed_text
from servitwin.domain.error import ConflictError, InvalidInputError, RefusedError
from servitwin.domain.instant import NS
from servitwin.domain.kept_controller import ControllerCheck
from servitwin.domain.party import Actor, Party
from servitwin.domain.release import Gate, GatePolicy
from servitwin.domain.twin import Dated, Twin
from servitwin.engines.files.evidence_log import EvidenceLog
from servitwin.engines.files.folder import FileFolder
from servitwin.engines.files.log_heads import LogHeads
from servitwin.engines.files.party_keys import PartyKeyFolder
from servitwin.engines.history import DuckReader
from servitwin.engines.records import SqlRecords, migrate
from servitwin.formats.machine_type_file import read_machine_type
from servitwin.formats.yaml_node import parse
from servitwin.proof.log.catalogue import ROW, describe
from servitwin.proof.log.statement import Subject, sign_statement, statement_bytes
from servitwin.proof.verifier import canonical, verify_release
from servitwin.sdk.release_statement import package_digest, refusal_of_update
from servitwin.usecases.audit import Audit
from servitwin.usecases.authorise import Authoriser
from servitwin.usecases.check_controller import ControllerText, Limits, check_controller
from servitwin.usecases.keep_controller import KeepController
from servitwin.usecases.keep_log import KeepLog
from servitwin.usecases.keep_release import KeepRelease, NewRelease
from servitwin.usecases.registry import Registry
from servitwin.usecases.release_file import ReleaseFile
from servitwin.usecases.released_update import ReleasedUpdate
from servitwin.usecases.run_gate import RunGate
from tests.conftest import ROOT

T0 = 1_700_000_000 * NS
DEMO = ROOT / "examples" / "demo"
RITVA = Actor("ritva", "person", "aurora", ("engineer",))
PETRA = Actor("petra", "person", "kivi", ("procurement", "administrator"))
PACKAGE = package_digest(b"software 4.2.0")
QUICK = GatePolicy(
    ("controller", "simulated", "performance"), depth=20, seconds=60, runs=2, hours=0.3, worse_at_most=0.6,
    recorded_hours=1, machines=1,
)  # fmt: skip


@cache
def checked(text: ControllerText) -> bytes:
    """A controller's check, done once for all tests; the gate takes a finished one that went as deep."""
    return msgspec.json.encode(check_controller(text, time.monotonic, limits=Limits(60, 20)))


class House:
    """A node without its processes: records, files, log and the simulation of the demo's mills."""

    def __init__(self, folder: Path) -> None:
        migrate(f"sqlite:///{folder}/records.db")
        self.records = SqlRecords(f"sqlite:///{folder}/records.db")
        self.clock = T0
        for party in ("aurora", "kivi", "lumo"):
            self.records.save_party(Party(party, party, "manufacturer"))
        read, faults = read_machine_type(parse((DEMO / "machine-types" / "mill-500.yaml").read_text("utf-8"), "t"))
        assert read is not None and not faults
        self.type = read
        self.records.add_machine_type(read)
        since = T0 - NS
        owner = (Dated("kivi", since),)
        self.records.save_twin(Twin("u1", "mill-1", "machine", type=(Dated(read.reference, since),), owner=owner))
        self.registry = Registry(self.records)
        self.files = FileFolder(folder / "files")
        self.keys = PartyKeyFolder(folder / "keys")
        self.heads = LogHeads(folder / "log")
        self.log = EvidenceLog(folder / "log", ROW, describe)
        self.keep_log = KeepLog(self.log, self.heads, self.keys, self.records, lambda: "lumo", self.now)
        self.authoriser = Authoriser(self.registry, self.records, lambda: "lumo", self.now)
        audit = Audit(self.records, self.now)
        parts = (self.records, self.registry, self.authoriser, audit, self.now, self.new_id)
        self.desk = KeepRelease(*parts)
        self.controllers = KeepController(
            self.records, self.files, self.registry, self.authoriser, audit, self.now, self.new_id
        )
        node = Actor("node", "system", "", ("administrator",))
        for name in ("mill-door.yaml", "mill-door-mended.yaml"):
            text = ControllerText((ROOT / "examples" / "controllers" / name).read_text("utf-8"))
            kept, _ = self.controllers.keep(text, node, "mill-500")
            result = self.files.put(checked(text))
            self.records.save_controller_check(
                ControllerCheck(f"c-{name}", kept.name, kept.version, 20, 60, T0, "x", state="done", result=result)
            )
        plant = yaml.safe_load((DEMO / "plant.yaml").read_text("utf-8"))
        self.config = plant["connections"]["demo-mills"]["config"]
        self.gate = RunGate(
            self.records, self.files, self.registry, DuckReader(folder / "history"), lambda _: self.rehearse,
            lambda *_: [], lambda: "lumo", time.monotonic, self.now, lambda: None,
        )  # fmt: skip

    def now(self) -> int:
        self.clock += NS
        return self.clock

    def new_id(self) -> str:
        return f"id-{self.now()}"

    def rehearse(self, instructions: Any, seconds: float, seed: int) -> Any:
        return simulator.rehearse(self.config, "mill-1", instructions, seconds, seed, 5.0)

    def tried(self, policy: GatePolicy = QUICK, **release: Any) -> Gate:
        new = NewRelease("mill-500", release.pop("version", "4.2.0"), PACKAGE, **release)
        kept, _ = self.desk.add(new, RITVA)
        self.records.save_gate(Gate(self.new_id(), kept.id, policy, self.now(), "ritva"))
        gate = self.gate.run_next()
        assert gate is not None
        return gate

    def logged(self) -> None:
        assert self.keep_log.open()
        self.keep_log.take_waiting()

    def file(self, id: str = "mill-500-4.2.0") -> bytes:
        writer = ReleaseFile(self.records, self.files, self.log, self.heads, self.keys, lambda: "lumo")
        release = self.records.release(id)
        assert release is not None
        return writer.write(release)

    def update(self, **parameters: Any) -> tuple[str, Any]:
        found = ReleasedUpdate(self.records, self.log.entry)
        return found.statement(self.type, {"digest": PACKAGE, "version": "4.2.0", **parameters})


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_a_release_that_passes_is_signed_sent_and_verified_offline(house: House) -> None:
    gate = house.tried(controller="mill-door@2", settings={"set-feed": {"percent": 106.0}})
    assert gate.state == "passed", gate
    assert {s.name: s.outcome for s in gate.steps}["controller"] == "passed"
    assert house.update()[1].code == "command:update-not-released"  # not before the log has it
    with pytest.raises(ConflictError):
        house.file()
    house.logged()
    statement, refusal = house.update()
    assert refusal is None
    public = house.keys.public_key("aurora")
    why, body = refusal_of_update(statement, "mill-500", PACKAGE, "4.2.0", [public])
    assert why == "" and body["settings"] == {"set-feed": {"percent": 106.0}}
    content = house.file()
    keys = [
        {"id": k.id, "party": k.party, "public_key": k.public_key, "since": "2020-01-01T00:00:00Z"}
        for k in house.records.party_keys()
    ]
    found = verify_release(content, keys)
    assert found.ok and found.who_known, found.message


def test_a_failed_property_blocks_whatever_else_passes(house: House) -> None:
    gate = house.tried(controller="mill-door@1")
    assert gate.state == "blocked" and gate.statement == ""
    outcomes = {s.name: s.outcome for s in gate.steps}
    assert outcomes["controller"] == "failed" and outcomes["simulated"] == "passed"
    assert "no-turning-behind-an-open-door" in gate.steps[0].says
    house.logged()
    statement, refusal = house.update()
    assert statement == "" and "blocked" in refusal.message


def test_without_recordings_the_replay_does_not_pass(house: House) -> None:
    policy = msgspec.structs.replace(QUICK, needs=("controller", "simulated", "replayed", "performance"))
    gate = house.tried(policy, controller="mill-door@2")
    assert gate.state == "blocked"
    assert {s.name: s.outcome for s in gate.steps}["replayed"] == "failed"


def test_a_release_that_makes_less_is_blocked(house: House) -> None:
    strict = msgspec.structs.replace(QUICK, worse_at_most=0.02)
    gate = house.tried(strict, controller="mill-door@2", settings={"set-feed": {"percent": 30.0}})
    assert gate.state == "blocked" and {s.name: s.outcome for s in gate.steps}["performance"] == "failed"


def test_a_release_taken_back_is_sent_no_more_and_its_new_file_says_so(house: House) -> None:
    house.tried(controller="mill-door@2")
    house.logged()
    before = house.file()
    house.desk.withdraw(RITVA, "mill-500-4.2.0", "It wears the tools")
    house.logged()
    assert "It wears the tools" in house.update()[1].message
    assert verify_release(before).ok  # nobody can know it from the old file alone, and it says so
    assert verify_release(house.file()).code == "release:withdrawn"
    with pytest.raises(ConflictError):
        house.desk.withdraw(RITVA, "mill-500-4.2.0", "again")


def test_every_change_of_a_release_file_is_refused(house: House) -> None:
    house.tried(controller="mill-door@2")
    house.logged()
    content = house.file()
    plain = canonical.read(content)

    def refused(change: Any) -> str:
        changed = msgspec.json.decode(msgspec.json.encode(plain))
        change(changed)
        del changed["seal"]
        _, signature = house.keys.sign("lumo", signed_text("proof", canonical.digest(changed)))
        changed["seal"] = {"key": plain["seal"]["key"], "signature": signature}
        found = verify_release(canonical.write(changed))
        assert not found.ok
        return found.code

    def steps(file: Any) -> Any:
        return file["record"]["gate"]["steps"]

    def package(file: Any) -> None:
        file["record"]["release"]["artefact"] = "sha256:" + "0" * 64

    assert refused(lambda f: steps(f)[0].update(says="all is well")) == "release:record-changed"
    assert refused(package) == "release:record-changed"
    assert refused(lambda f: f["statements"]["entries"].pop()) in ("proof:entry-not-in-log", "release:no-statement")
    assert verify_release(content[:-9] + b'XXXXXX"}}').code.startswith("proof:")
    for place in range(40, len(content), max(1, len(content) // 60)):
        spoilt = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        assert not verify_release(spoilt).ok, place


def connector(house: House) -> SimulatorConnector:
    config = msgspec.convert(house.config, SimulatorConfig, strict=False)
    config = msgspec.structs.replace(config, trusted_keys=(house.keys.public_key("aurora"),))
    found = SimulatorConnector(config, house.now, lambda: "session")
    found._lives = True
    return found


def test_the_machine_itself_refuses_what_is_not_signed_for_it(house: House) -> None:
    house.tried(controller="mill-door@2", settings={"set-feed": {"percent": 106.0}})
    house.logged()
    statement, _ = house.update()
    machine = connector(house)

    def sent(release: str, digest: str = PACKAGE, version: str = "4.2.0") -> str:
        message = {"id": "c", "parameters": {"digest": digest, "version": version}, "release": release}
        answer = machine._carry_out("mill-1", "update-software", message)
        return str(answer.get("reason", answer["status"]))

    assert "no release statement" in sent("")
    assert "cannot be read" in sent("{}")
    assert "another package" in sent(statement, "sha256:" + "1" * 64)
    assert "another version" in sent(statement, version="9.9")
    body = {"machine_type": "mill-500", "artefact": PACKAGE, "version": "4.2.0", "settings": {}}
    by_customer = sign_statement(statement_bytes("release", "kivi", Subject(), T0, body), "kivi", house.keys.sign)
    assert "nobody whose releases" in sent(by_customer.decode())
    verdict = sign_statement(statement_bytes("verdict", "aurora", Subject(), T0, body), "aurora", house.keys.sign)
    assert "not that of a passed gate" in sent(verdict.decode())
    other = statement_bytes("release", "aurora", Subject(), T0, {**body, "machine_type": "crane-12"})
    assert "is for crane-12" in sent(sign_statement(other, "aurora", house.keys.sign).decode())
    entry = msgspec.json.decode(statement)
    entry["signature"] = base64.b64encode(bytes(64)).decode()
    assert "signature does not stand" in sent(msgspec.json.encode(entry).decode())
    state = machine._machines["mill-1"].state
    assert (state.software, state.feed_percent) == ("4.1.0", 100.0)
    assert sent(statement) == "done"
    state = machine._machines["mill-1"].state
    assert (state.software, state.feed_percent) == ("4.2.0", 106.0)


# bringing in -------------------------------------------------------------------------------------------------------
def test_what_is_wrong_with_a_release_is_told_at_once(house: House) -> None:
    settings = {"start": {}, "set-feed": {"percent": 900.0}, "update-software": {"version": "x"}}
    with pytest.raises(InvalidInputError) as e:
        house.desk.add(NewRelease("mill-500", "no version!", "md5:1", "", settings), RITVA)
    assert {f.code for f in e.value.faults} == {
        "release:version", "release:artefact", "release:controller-missing", "release:setting",
        "command:parameter-range",
    }  # fmt: skip
    with pytest.raises(RefusedError):
        house.desk.add(NewRelease("mill-500", "4.2.0", PACKAGE, "mill-door@2"), PETRA)


def test_a_release_never_changes_and_a_weaker_policy_is_the_operators(house: House) -> None:
    new = NewRelease("mill-500", "4.2.0", PACKAGE, "mill-door@2")
    assert [house.desk.add(new, RITVA)[1] for _ in range(2)] == [True, False]
    with pytest.raises(ConflictError):
        house.desk.add(msgspec.structs.replace(new, controller="mill-door@1"), RITVA)
    with pytest.raises(RefusedError) as e:
        house.desk.ask_gate(RITVA, "mill-500-4.2.0", QUICK)
    assert e.value.fault.code == "gate:policy-weaker"
    house.desk.ask_gate(RITVA, "mill-500-4.2.0")
    with pytest.raises(ConflictError):
        house.desk.ask_gate(RITVA, "mill-500-4.2.0")
