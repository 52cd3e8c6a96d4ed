"""A press gets a key: from then on it is heard only if it signs, through the real broker, up to its proof file."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import paho.mqtt.client as mqtt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from servitwin.bootstrap.starters import starters
from servitwin.cli.app import create_cli
from servitwin.domain.instant import NS, parse_instant
from servitwin.proof.verifier import verify
from servitwin.sdk.signed_payload import public_text, sign_payload
from tests.conftest import Node
from tests.stories.waiting import Api, plant, wait_for

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("nodes")]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("keys")).running() as made:
        yield made


@pytest.fixture(scope="module")
def api(node: Node) -> Api:
    return plant(node)


@pytest.fixture(scope="module")
def publish(node: Node, api: Api) -> Iterator[Callable[[bytes], None]]:
    secret = api.credential("press-1", "press-1")
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="press-1")
    client.username_pw_set("press-1", secret)
    connected = threading.Event()
    client.on_connect = lambda _c, _u, _f, code, _p: connected.set() if code == 0 else None
    client.reconnect_delay_set(1, 1)
    client.connect("127.0.0.1", node.mqtt_port())
    client.loop_start()
    assert connected.wait(30), node.logs()
    yield lambda payload: client.publish("servitwin/press-1/observations", payload, qos=1).wait_for_publish(30)
    client.disconnect()
    client.loop_stop()


def payload(seq: int, temperature: float) -> bytes:
    said = {"time": time.time_ns(), "values": {"temperature": temperature}, "session": "gateway", "seq": seq}
    return json.dumps(said).encode()


def cli(node: Node, *words: str) -> Any:
    done = CliRunner().invoke(create_cli(starters()), [*words, "--data", str(node.data), "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def quarantined(api: Api) -> list[str]:
    return sorted(e["code"] for e in api.get("/quarantine", twin="press-1")["items"])


@pytest.mark.long
def test_a_machine_with_a_key_is_heard_only_if_it_signs(
    node: Node, api: Api, publish: Callable[[bytes], None], tmp_path: Path
) -> None:
    first, second = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()

    def values() -> list[Any]:
        return [v for _, v in api.values("press-1", "temperature")]

    publish(payload(1, 1.0))
    wait_for(node, "what is not signed counts without a key", 30, lambda: values() == [1.0])
    file = tmp_path / "press-1.pub"
    file.write_text(public_text(first) + "\n")
    made = cli(node, "keys", "machine", "add", "press-1", str(file), "--name", "gateway")
    time.sleep(max(0.0, (parse_instant(made["since"]) - time.time_ns()) / NS) + 0.2)
    assert cli(node, "keys", "machine", "list", "press-1")["demanded"] is True

    publish(payload(2, 2.0))
    publish(sign_payload(second, "press-1", payload(3, 3.0)))
    publish(sign_payload(first, "press-1", payload(4, 4.0)))
    wait_for(node, "what is signed is taken", 30, lambda: values() == [1.0, 4.0])
    wait_for(node, "the rest is in quarantine", 30, lambda: len(quarantined(api)) == 2)
    assert quarantined(api) == ["signature:key-unknown", "signature:missing"]

    # A proof of a violation says who stands for the signatures.
    requirement = {"text": "Never above 100.", "formula": "temperature < 100 Cel", "severity": "high"}
    api.put("/twins/press-1/requirements/cool", requirement)
    time.sleep(8)
    for seq, value in ((5, 20.0), (6, 120.0), (7, 20.0)):
        publish(sign_payload(first, "press-1", payload(seq, value)))
        time.sleep(1.5)
    case = wait_for(
        node,
        "a case",
        60,
        lambda: next((c for c in api.get("/cases", twin="press-1")["items"] if not c["active"]), None),
    )

    def proof() -> Any:
        answer = api.http.get(f"/cases/{case['id']}/proof")
        return answer.content if answer.status_code == 200 else None

    found = verify(wait_for(node, "a proof", 120, proof))
    assert found.ok, found.message
    assert found.details["segments_signed_at_machine"] == found.details["segments_of_machine"] > 0
    assert any(made["id"] in line and "acme states" in line for line in found.proven)

    # The key changes; what the old one signs counts no more, and the owner's document names both.
    next_key = cli(
        node, "keys", "machine", "add", "press-1", public_text(second), "--name", "gateway", "--replaces", made["id"]
    )
    time.sleep(max(0.0, (parse_instant(next_key["since"]) - time.time_ns()) / NS) + 0.2)
    publish(sign_payload(first, "press-1", payload(8, 8.0)))
    publish(sign_payload(second, "press-1", payload(9, 9.0)))
    wait_for(node, "the new key counts", 30, lambda: values()[-1] == 9.0)
    wait_for(node, "the old one does not", 30, lambda: "signature:key-revoked" in quarantined(api))
    assert 8.0 not in values()
    cli(node, "keys", "machine", "revoke", "press-1", next_key["id"], "--reason", "the gateway was stolen")
    time.sleep(2)  # ingest hears of it within a second
    publish(sign_payload(second, "press-1", payload(10, 10.0)))
    wait_for(node, "nobody speaks for it", 30, lambda: quarantined(api).count("signature:key-revoked") == 2)
    document = httpx.get(f"{node.web}/parties/acme/did.json").json()
    machines = [m for m in document["verificationMethod"] if "#machine-" in m["id"]]
    assert len(machines) == 2
    assert all("revoked" in m for m in machines)

    def stated() -> list[str]:
        shown = [i["entry"] for i in api.get("/log/entries", limit=500)["items"] if i.get("entry")]
        kinds = [json.loads(entry)["content"]["kind"] for entry in shown]
        return sorted(kind for kind in kinds if kind.startswith("machine-key"))

    expected = ["machine-key"] * 2 + ["machine-key-revoked"] * 2
    wait_for(node, "all of it is stated in the log", 30, lambda: stated() == expected)
