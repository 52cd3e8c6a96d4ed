"""The update gate: what passes is signed and sent, what does not is refused by the platform and by the machine."""

import base64
from pathlib import Path

import msgspec
import pytest

from servitwin.connectors.simulator.connector import SimulatorConnector
from servitwin.connectors.simulator.plant import SimulatorConfig
from servitwin.domain.error import ConflictError, InvalidInputError, RefusedError
from servitwin.proof.log.statement import Subject, sign_statement, statement_bytes
from servitwin.proof.verifier import verify_release
from servitwin.sdk.release_statement import refusal_of_update
from servitwin.usecases.keep_release import NewRelease
from tests.unit.simulation.release_house import PACKAGE, PETRA, QUICK, RITVA, T0, House


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
    found = verify_release(content, house.keys_known())
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


def test_a_release_taken_back_while_it_is_tried_is_blocked_and_says_so(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = house.files.put

    def taken_back_meanwhile(content: bytes) -> str:
        if b'"gate"' in content:  # the record, just before the statement
            house.desk.withdraw(RITVA, "mill-500-4.2.0", "It wears the tools")
        return put(content)

    monkeypatch.setattr(house.files, "put", taken_back_meanwhile)
    gate = house.tried(controller="mill-door@2", settings={"set-feed": {"percent": 106.0}})
    assert gate.state == "blocked" and gate.statement == ""
    assert gate.fault is not None and gate.fault.code == "release:withdrawn"


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
