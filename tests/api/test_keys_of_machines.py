"""Keys of machines over the API, in the owner's DID document, and logs that are watched."""

from __future__ import annotations

import base64
import time
from contextlib import closing

import pytest
from api_node import uid
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from servitwin.domain.agreement import PartyKey
from servitwin.sdk.signed_payload import public_text, sign_payload

FIRST, SECOND = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (11, 12))
KEYS = "/api/v1/twins/mill-1/keys"


@pytest.fixture(scope="module")
def engineer(node):
    """Whoever may configure acme's machines."""
    with closing(node.browser("adam")) as client:
        yield client


def test_keys_are_registered_listed_replaced_and_revoked(node, engineer, anna, olga):
    assert engineer.get(KEYS).json() == {"items": [], "demanded": False}
    made = engineer.post(KEYS, json={"public_key": public_text(FIRST), "name": "gateway"})
    assert made.status_code == 201, made.text
    first = made.json()
    assert (first["twin"], first["name"], first["revoked"]) == ("mill-1", "gateway", None)
    assert ("changed.twins", b"{}") in node.bus.published, "ingest hears of it at once"
    assert engineer.get(KEYS).json()["demanded"] is False, "it counts in ten seconds"
    assert [k["id"] for k in anna.get(KEYS).json()["items"]] == [first["id"]], "who may read the machine checks with it"
    assert olga.get(KEYS).status_code == 404
    forbidden = anna.post(KEYS, json={"public_key": public_text(SECOND), "name": "gateway"})
    assert forbidden.status_code == 403
    second = engineer.post(
        KEYS, json={"public_key": public_text(SECOND), "name": "gateway", "replaces": first["id"]}
    ).json()
    old, new = engineer.get(KEYS).json()["items"]
    assert (old["id"], old["revoked"], new["id"]) == (first["id"], second["since"], second["id"])
    gone = engineer.post(f"{KEYS}/{second['id']}/revoke", json={"reason": "stolen"})
    assert gone.status_code == 200, gone.text
    again = engineer.post(f"{KEYS}/{second['id']}/revoke", json={"reason": "stolen"})
    assert (again.status_code, again.json()["code"]) == (409, "machine-key:revoked")


def test_bad_keys_are_refused_with_a_remedy(engineer):
    for body, status, code in (
        ({"public_key": "AAAA", "name": "g"}, 400, "machine-key:malformed"),
        ({"public_key": public_text(FIRST), "name": "g"}, 409, "machine-key:taken"),
        (
            {"public_key": base64.b64encode(b"x" * 32).decode(), "name": "g", "since": "2020-01-01T00:00:00Z"},
            400,
            "machine-key:too-soon",
        ),
        ({"public_key": base64.b64encode(b"x" * 32).decode(), "name": "g", "private_key": "x"}, 422, None),
    ):
        answer = engineer.post(KEYS, json=body)
        assert answer.status_code == status, answer.text
        if code:
            assert answer.json()["code"] == code
            assert answer.json()["hint"]


def test_the_owners_did_document_lists_them(node, engineer):
    key = public_text(FIRST)
    node.records.save_party_key(PartyKey("0" * 32, "acme", base64.b64encode(b"p" * 32).decode(), time.time_ns()))
    document = engineer.get("/parties/acme/did.json").json()
    machines = [m for m in document["verificationMethod"] if "#machine-" in m["id"]]
    assert len(machines) == 2
    assert all("revoked" in m for m in machines)
    assert len(document["assertionMethod"]) == 1
    assert key not in str(document), "keys are written as multikeys"


def test_a_signed_payload_is_sent_on_byte_by_byte_and_counts_once(node, engineer):
    payload = b'{"time": "2026-09-21T08:15:00Z", "values": {"power": 1.5}, "session": "s", "seq": 1}'
    message = sign_payload(FIRST, "mill-1", payload)
    headers = {"Content-Type": "application/json"}
    for duplicate in (False, True):
        answer = engineer.post("/api/v1/twins/mill-1/observations", content=message, headers=headers)
        assert answer.status_code == 202, answer.text
        assert answer.json()["duplicate"] is duplicate
    stored = [content for (_, id), (_, content) in node.bus.stored.items() if id == f"{uid(2)}:s:1"]
    assert stored == [message]


def test_logs_that_are_watched(node, root, anna):
    assert root.get("/api/v1/log/watched").json() == {"items": []}
