"""TLS by certificate files: pages, API, MQTT and NATS with real clients, and what is refused before anything starts."""

from __future__ import annotations

import datetime
import ipaddress
import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import paho.mqtt.client as mqtt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from servitwin.client import Client
from servitwin.engines.bus import NatsServer
from tests.conftest import ROOT, Node
from tests.stories.waiting import API, wait_for

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("nodes")]
MARGIN = datetime.timedelta(days=1)
MILL = """plant: small
parties: {aurora: {name: Aurora, kind: manufacturer}, kivi: {name: Kivi}}
twins: {mill-1: {kind: machine, type: mill-500@4, serial: M-1, owner: kivi}}
connections:
  simulated: {connector: simulator, twins: [mill-1], config: {machines: [{twin: mill-1, model: mill, seed: 11}]}}
"""


def certificate(
    name: str, issuer: str, signing: ec.EllipticCurvePrivateKey, key: ec.EllipticCurvePrivateKey, *, ca: bool
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    hosts = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - MARGIN)
        .not_valid_after(now + MARGIN)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .sign(signing, hashes.SHA256())
    )


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``ca.pem``, ``node.pem`` signed by it and ``node.key``; ``other.pem`` of another authority."""
    folder = tmp_path_factory.mktemp("papers")
    root, key, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    for file, made in {
        "ca.pem": certificate("plant-ca", "plant-ca", root, root, ca=True),
        "node.pem": certificate("node", "plant-ca", root, key, ca=False),
        "other.pem": certificate("other-ca", "other-ca", other, other, ca=True),
    }.items():
        (folder / file).write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "node.key").write_bytes(key.private_bytes(*form))
    (folder / "node.key").chmod(0o600)
    return folder


@pytest.fixture(scope="module")
def node(papers: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    plant = tmp_path_factory.mktemp("plant") / "small.yaml"
    plant.write_text(MILL)
    files = ["--tls-certificate", str(papers / "node.pem"), "--tls-key", str(papers / "node.key")]
    files += ["--plant", str(ROOT / "examples" / "demo" / "machine-types" / "mill-500.yaml"), "--plant", str(plant)]
    with Node(tmp_path_factory.mktemp("tls"), arguments=files).running() as made:
        yield made


def test_the_web_speaks_tls_to_who_knows_the_authority(node: Node, papers: Path) -> None:
    assert node.web.startswith("https://")
    bearer = {"Authorization": f"Bearer {node.token}"}
    with httpx.Client(base_url=node.web, verify=ssl.create_default_context(cafile=papers / "ca.pem")) as known:
        assert known.get(API + "/twins", headers=bearer).status_code == 200
        answer = known.post(API + "/session", json={"account": "pm", "password": "wrong"})
        assert answer.status_code == 401
        assert answer.headers["strict-transport-security"]
    stranger = ssl.create_default_context(cafile=papers / "other.pem")
    with httpx.Client(verify=stranger) as suspicious, pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY"):
        suspicious.get(node.web + "/health/live")
    with httpx.Client() as plain, pytest.raises(httpx.HTTPError):
        plain.get(node.web.replace("https", "http") + "/health/live")


def test_commands_find_the_node_and_trust_its_very_certificate(node: Node, papers: Path) -> None:
    with Client.local(node.data) as client:
        assert list(client.twins())
    command = [sys.executable, "-m", "servitwin.bootstrap", "twins", "--json", "--to", node.web]
    told = {**os.environ, "SERVITWIN_TOKEN": node.token, "SERVITWIN_CA": str(papers / "ca.pem")}
    assert json.loads(subprocess.run(command, env=told, capture_output=True, check=True).stdout)
    told["SERVITWIN_CA"] = str(papers / "other.pem")
    refused = subprocess.run(command, env=told, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "CERTIFICATE_VERIFY_FAILED" in refused.stderr


def test_a_machine_speaks_mqtt_over_tls_and_only_so(node: Node, papers: Path) -> None:
    assert node.mqtt.startswith("mqtts://")
    with Client.local(node.data) as client, httpx.Client(
        base_url=node.web + API, verify=ssl.create_default_context(cafile=papers / "ca.pem"),
        headers={"Authorization": f"Bearer {node.token}"},
    ) as http:  # fmt: skip
        twin = next(t.id for t in client.twins(kind="machine"))
        wait_for(node, "the simulator's own machine, over TLS", 60, lambda: client.state(twin).values)
        made = http.post("/machine-credentials", json={"user": "probe", "twins": [twin]})
        machine = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="probe", protocol=mqtt.MQTTv311)
        machine.username_pw_set("probe", made.json()["password"])
        machine.tls_set(str(papers / "ca.pem"))
        machine.connect("127.0.0.1", node.mqtt_port())
        machine.loop_start()
        wait_for(node, "a TLS connection", 30, machine.is_connected)
        signal = next(s.name for s in client.twin(twin).signals if s.type == "number")
        body = {"values": {signal: 1}, "session": "tls", "seq": 1}
        sent = machine.publish(f"servitwin/{twin}/observations", json.dumps(body), qos=1)
        sent.wait_for_publish(10)
        wait_for(node, "the value stored", 60, lambda: client.session_counts(twin, "tls").messages == 1)
        machine.disconnect()
        machine.loop_stop()
    plain = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
    plain.connect("127.0.0.1", node.mqtt_port())
    assert plain.loop(2) == mqtt.MQTT_ERR_SUCCESS or not plain.is_connected()
    for _ in range(10):
        plain.loop(0.2)
    assert not plain.is_connected(), "the gateway took a machine that does not speak TLS"


def test_the_bus_that_speaks_plainly_is_reached_from_this_machine_alone(papers: Path, tmp_path: Path) -> None:
    files = (str(papers / "node.pem"), str(papers / "node.key"))
    server = NatsServer(tmp_path, "internal", "s3cret", time.time_ns, host="0.0.0.0", tls=files)
    server.start()
    try:
        # 127.0.0.2 is another address of this machine: who listens on all of them answers there too
        socket.create_connection(("127.0.0.2", server.mqtt_port), 5).close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", server.port), 5)
    finally:
        server.stop()


def test_secrets_and_keys_are_nowhere_they_can_be_read(node: Node, papers: Path) -> None:
    key = "".join((papers / "node.key").read_text().splitlines()[1:2])
    hidden = [node.token, key, *((node.data / "secrets" / "bus").read_text().split())]
    for path in node.data.rglob("*"):
        if path.is_file() and path.suffix in {".log", ".json", ".conf", ""} and path.stat().st_size < 1_000_000:
            text = path.read_bytes()
            if any(h.encode() in text for h in hidden):
                assert path.stat().st_mode & 0o077 == 0, f"{path} holds a secret and others may read it"
                assert path.suffix != ".log", f"{path} is a log and holds a secret"
    assert len(hidden) == 3
    assert node.data.stat().st_mode & 0o077 == 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            said = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        assert not any(h.encode() in said for h in hidden), f"{process} shows a secret"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--tls-certificate", "node.pem"], "tls:half"),
        (["--tls-certificate", "node.pem", "--tls-key", "open.key"], "tls:key-open"),
        (["--tls-certificate", "ca.pem", "--tls-key", "node.key"], "tls:unusable"),
        (["--tls-certificate", "missing.pem", "--tls-key", "node.key"], "tls:unusable"),
        (["--anonymous-role", "nonsense"], "serve:role-unknown"),
    ],
)
def test_options_that_cannot_work_are_told_before_anything_starts(
    papers: Path, tmp_path: Path, options: list[str], code: str
) -> None:
    (papers / "open.key").write_bytes((papers / "node.key").read_bytes())
    (papers / "open.key").chmod(0o644)
    command = [sys.executable, "-m", "servitwin.bootstrap", "serve", "--json", "--data", str(tmp_path / "d")]
    done = subprocess.run([*command, *options], cwd=papers, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2, done.stderr
    assert json.loads(done.stderr)["code"] == code
    assert not (tmp_path / "d").exists()
