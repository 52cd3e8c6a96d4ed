"""The update gate over the API and on the command line: tried, passed, blocked, sent, refused, taken back."""

import asyncio
import hashlib
import json
import time
import uuid
from contextlib import closing

import msgspec
import pytest
import yaml
from api_node import Node
from typer.testing import CliRunner

from servitwin.bootstrap.starters import starters
from servitwin.cli.app import create_cli
from servitwin.connectors.simulator import plugin as simulator
from servitwin.domain.release import GatePolicy
from servitwin.domain.twin import Dated
from servitwin.engines.files.evidence_log import EvidenceLog
from servitwin.engines.files.log_heads import LogHeads
from servitwin.formats.machine_type_file import read_machine_type
from servitwin.formats.yaml_node import parse
from servitwin.proof.log.catalogue import ROW, describe
from servitwin.usecases.keep_log import KeepLog
from servitwin.usecases.keep_release import POLICY
from servitwin.usecases.released_update import ReleasedUpdate
from servitwin.usecases.run_gate import RunGate
from tests.conftest import ROOT

DEMO = ROOT / "examples" / "demo"
PACKAGE = b"software of the mill"
DIGEST = "sha256:" + hashlib.sha256(PACKAGE).hexdigest()
POLICY_HERE = GatePolicy(
    ("controller", "simulated", "performance"), depth=10, seconds=20, runs=2, hours=0.2, worse_at_most=1.0,
    recorded_hours=1, machines=1,
)  # fmt: skip
DOOR = """controller: door
version: {version}
inputs: {{button: {{type: flag}}}}
regions:
  door:
    initial: shut
    states:
      shut: {{transitions: [{{to: open, when: button}}]}}
      open: {{transitions: [{{to: shut, when: {guard}}}]}}
properties:
  shuts: {{text: A pressed button shuts it., whenever: button and door is open, then: door is shut, within: 1}}
"""


class GateNode(Node):
    """Gates run here as their process runs them, in a thread, on the simulated mill of the demo."""

    async def _gate(self):
        plant = yaml.safe_load((DEMO / "plant.yaml").read_text("utf-8"))
        config = plant["connections"]["demo-mills"]["config"]

        def rehearse(instructions, seconds, seed):
            return simulator.rehearse(config, "mill-1", instructions, seconds, seed, 5.0)

        parts = self.parts
        gate = RunGate(
            self.records, parts.files, self.registry, parts.history, lambda _: rehearse, lambda *_: [],
            lambda: "maker", time.monotonic, parts.now, lambda: None,
        )  # fmt: skip
        await asyncio.to_thread(gate.run_next)
        return b""

    def __enter__(self):
        folder = self.folder / "evidence"
        log = EvidenceLog(folder, ROW, describe)
        self.evidence = KeepLog(log, LogHeads(folder), self.parts.keys, self.records, lambda: "maker", self.parts.now)
        assert self.evidence.open()
        return super().__enter__()

    def log(self):
        """What the evidence worker does with statements that wait."""
        self.evidence.take_waiting()


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with GateNode(tmp_path_factory.mktemp("gate")) as running:
        read, faults = read_machine_type(parse((DEMO / "machine-types" / "mill-500.yaml").read_text("utf-8"), "type"))
        assert read is not None and not faults
        running.type = msgspec.structs.replace(read, version=9, manufacturer="maker")
        running.records.add_machine_type(running.type)
        mill = next(t for t in running.registry.twins() if t.id == "mill-1")
        running.records.save_twin(
            msgspec.structs.replace(mill, type=(Dated("mill-500@2", 0, 1), Dated("mill-500@9", 1)))
        )
        running.records.set_setting(POLICY, msgspec.json.encode(POLICY_HERE).decode())
        with closing(running.browser("mike")) as client:
            headers = {"Content-Type": "application/yaml"}
            for version, guard in ((1, "button"), (2, "not button")):
                text = DOOR.format(version=version, guard=guard).encode()
                of = {"machine_type": "mill-500"}
                added = client.post("/api/v1/controllers", content=text, params=of, headers=headers)
                assert added.status_code == 201, added.text
        yield running


@pytest.fixture
def mike(node):
    """Administrator of the maker, who operates the node as well."""
    with closing(node.browser("mike")) as client:
        yield client


def bring_in(client, controller="door@1", digest=DIGEST, **more):
    """A release of its own version; its id."""
    body = {"machine_type": "mill-500", "version": f"1.{uuid.uuid4().hex[:8]}", "artefact": digest, **more}
    answer = client.post("/api/v1/releases", json={**body, "controller": controller})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def tried(client, id):
    """It has been through the gate, as it is then."""
    asked = client.post(f"/api/v1/releases/{id}/gate", json={})
    assert asked.status_code == 202, asked.text
    until = time.monotonic() + 60
    while (found := client.get(asked.headers["Location"]).json())["state"] in ("waiting", "running"):
        assert time.monotonic() < until, found
        time.sleep(0.05)
    return found


def refusal(node, id, digest=DIGEST):
    """Why a command of kind update would not be sent; empty: the statement goes with it."""
    parameters = {"digest": digest, "version": id.removeprefix("mill-500-")}
    statement, fault = ReleasedUpdate(node.records, node.parts.log.entry).statement(node.type, parameters)
    assert bool(statement) != bool(fault)
    return "" if fault is None else fault.message


def test_what_passes_is_signed_and_sent_and_what_is_taken_back_is_sent_no_more(node, mike, anna):
    id = bring_in(mike, settings={"set-feed": {"percent": 104.0}}, title="Quicker door")
    assert "has not passed the gate" in refusal(node, id)
    found = tried(mike, id)
    assert found["state"] == "passed", found
    (gate,) = found["gates"]
    assert [s["name"] for s in gate["steps"]] == ["controller", "simulated", "replayed", "performance"]
    assert gate["by"] == "mike" and gate["began"] <= gate["ended"] and not gate["logged"]
    waits = mike.get(f"/api/v1/releases/{id}/statement")
    assert (waits.status_code, waits.json()["code"]) == (409, "release:log-waits")
    node.log()
    assert mike.get(f"/api/v1/releases/{id}").json()["gates"][0]["logged"]
    file = anna.get(f"/api/v1/releases/{id}/statement")
    assert file.json()["record"]["release"]["artefact"] == DIGEST
    assert f'filename="{id}.release.json"' in file.headers["Content-Disposition"]
    assert refusal(node, id) == ""
    assert "No release of mill-500 has that package" in refusal(node, id, "sha256:" + "0" * 64)

    taken = mike.post(f"/api/v1/releases/{id}/withdraw", json={"why": "It wears the tools"})
    assert taken.json()["state"] == "withdrawn" and taken.json()["withdrawn"]["by"] == "mike"
    assert "was taken back: It wears the tools" in refusal(node, id)
    for again in (f"{id}/withdraw", f"{id}/gate"):
        body = {"why": "again"} if again.endswith("withdraw") else {}
        refused = mike.post(f"/api/v1/releases/{again}", json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "release:withdrawn")
    assert {"release.add", "release.gate", "release.withdraw"} <= {e["action"] for e in node.records.audit_entries()}


def test_what_is_blocked_says_which_step_failed_and_has_no_statement(mike):
    id = bring_in(mike, "door@2", title="Door that does not shut")
    found = tried(mike, id)
    (gate,) = found["gates"]
    assert found["state"] == "blocked" and gate["statement"] == "" and gate["fault"] is None
    (failed,) = [s for s in gate["steps"] if s["name"] == "controller"]
    assert failed["outcome"] == "failed" and "not shown to hold: shuts" in failed["says"]
    none = mike.get(f"/api/v1/releases/{id}/statement")
    assert (none.status_code, none.json()["code"]) == (409, "release:not-passed")
    assert tried(mike, id)["state"] == "blocked"
    assert len(mike.get(f"/api/v1/releases/{id}").json()["gates"]) == 2


def test_who_may_know_it_and_who_may_change_it(node, mike, anna, olga, root):
    id = bring_in(mike)
    shown = anna.get(f"/api/v1/releases/{id}")  # she has mills of that type
    assert shown.status_code == 200 and not shown.json()["may_change"]
    for path, body in (("gate", {}), ("withdraw", {"why": "no"})):
        refused = anna.post(f"/api/v1/releases/{id}/{path}", json=body)
        assert (refused.status_code, refused.json()["code"]) == (403, "access:not-permitted")
    body = {"machine_type": "mill-500", "version": "9", "artefact": DIGEST, "controller": "door@1"}
    assert anna.post("/api/v1/releases", json=body).status_code == 403
    # Who has no mill of that type does not learn by asking that there is one, nor whose it is.
    assert root.post("/api/v1/parties", json={"id": "third", "name": "Third"}).status_code < 300
    third = root.post("/api/v1/tokens", json={"label": "third", "party": "third", "roles": ["engineer"]}).json()
    with node.program(third["token"]) as stranger:
        kinds = ("mill-500", "mill-501")
        told = [stranger.post("/api/v1/releases", json={**body, "machine_type": t}) for t in kinds]
    assert [(a.status_code, a.text.replace("mill-501", "mill-500")) for a in told] == [(404, told[0].text)] * 2
    with closing(node.browser("sam")) as sam:  # of the maker, and no engineer
        assert sam.post(f"/api/v1/releases/{id}/gate", json={}).status_code == 403
    with node.program("somebody-elses-token") as stranger:
        for path in ("", f"/{id}", f"/{id}/statement"):
            assert stranger.get(f"/api/v1/releases{path}").status_code == 401
    with node.client() as nobody:
        assert nobody.post(f"/api/v1/releases/{id}/withdraw", json={"why": "x"}).status_code in (401, 403)
    made = mike.post("/api/v1/tokens", json={"label": "display", "roles": ["viewer"]})
    with node.program(made.json()["token"]) as viewer:
        assert viewer.post(f"/api/v1/releases/{id}/gate", json={}).status_code == 403
    assert mike.get(f"/api/v1/releases/{id}").json()["gates"] == []
    assert olga.get("/api/v1/releases/mill-500-nothing").json()["code"] == "release:unknown"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"artefact": "md5:1"}, "release:artefact"),
        ({"version": "no version!"}, "release:version"),
        ({"controller": ""}, "release:controller-missing"),
        ({"controller": "gate@1"}, "release:controller"),
        ({"machine_type": "press"}, "machine-type:unknown"),
        ({"settings": {"set-feed": {"percent": 900.0}}}, "command:parameter-range"),
        ({"type_version": 2}, "release:no-update-command"),
        ({"more": 1}, "request:invalid"),
    ],
)
def test_what_is_wrong_with_a_release_is_told(mike, change, code):
    body = {"machine_type": "mill-500", "version": "7.0", "artefact": DIGEST, "controller": "door@1", **change}
    refused = mike.post("/api/v1/releases", json=body)
    assert refused.status_code in (400, 404, 422), refused.text
    assert code in {f["code"] for f in refused.json()["faults"]} | {refused.json()["code"]}, refused.text


@pytest.fixture
def run(node, monkeypatch):
    monkeypatch.setenv("SERVITWIN_TOKEN", node.node_token)

    def call(*words):
        return CliRunner().invoke(create_cli(starters()), ["release", *map(str, words), "--to", node.url])

    return call


def test_the_command_line_does_the_same(node, run, tmp_path):
    package, file = tmp_path / "package.bin", tmp_path / "release.json"
    package.write_bytes(PACKAGE)
    body = {"machine_type": "mill-500", "version": "5.0", "artefact": "", "controller": "door@1", "title": "Five"}
    file.write_text(json.dumps(body), "utf-8")
    added = run("add", file, "--package", package, "--json")
    assert added.exit_code == 0, added.output
    assert json.loads(added.stdout)["artefact"] == DIGEST
    passed = run("gate", "mill-500-5.0")
    assert passed.exit_code == 0 and "controller   passed" in passed.stdout, passed.output
    node.log()
    statement = tmp_path / "five.release.json"
    assert run("statement", "mill-500-5.0", statement).exit_code == 0
    cli = create_cli(starters())
    whole = CliRunner().invoke(cli, ["verify", str(statement)])
    assert whole.exit_code == 0 and "mill-500 5.0 passed the gate of maker" in whole.output, whole.output
    statement.write_text(statement.read_text("utf-8").replace('"outcome":"failed"', '"outcome":"passed"', 1), "utf-8")
    spoilt = CliRunner().invoke(cli, ["verify", str(statement)])
    assert spoilt.exit_code == 1 and "proof:seal-broken" in spoilt.output

    file.write_text(json.dumps({**body, "version": "5.1", "controller": "door@2", "artefact": DIGEST}), "utf-8")
    assert run("add", file).exit_code == 0
    blocked = run("gate", "mill-500-5.1", "--json")
    assert blocked.exit_code == 1 and json.loads(blocked.stdout)["state"] == "blocked"
    assert "controller   failed" in run("show", "mill-500-5.1").stdout
    assert run("withdraw", "mill-500-5.1", "--why", "It does not shut").exit_code == 0
    assert "It does not shut" in run("show", "mill-500-5.1").stdout
    states = dict(line.split()[:2] for line in run("list", "--machine-type", "mill-500").stdout.splitlines())
    assert (states["mill-500-5.0"], states["mill-500-5.1"]) == ("passed", "withdrawn")
    file.write_text("{", "utf-8")
    for words, exits, code in (
        (("add", file), 2, "file:not-json"),
        (("add", tmp_path / "none.json"), 2, "file:unreadable"),
        (("gate", "mill-500-none"), 2, "release:unknown"),
        (("statement", "mill-500-5.1", tmp_path / "x"), 1, "release:not-passed"),
        (("statement", "mill-500-5.0", tmp_path), 2, "file:unwritable"),
    ):
        failed = run(*words)
        assert failed.exit_code == exits and f"[{code}]" in failed.output, (words, failed.output)
