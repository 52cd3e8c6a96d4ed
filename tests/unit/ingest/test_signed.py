"""A machine whose key demands it is heard only if it signs; whoever does not sign is as fast as before."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.error import InvalidInputError
from servitwin.domain.machine_key import MachineKey, is_demanded
from servitwin.sdk.signed_payload import MARK, is_signed, key_id, public_text, sign_payload, split_signed
from servitwin.usecases.ingest import Block, Shared
from tests.unit.ingest.given import NOW, Feed, FewTwins, S, values_of

PRIVATE, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))
PUBLIC = public_text(PRIVATE)
KEY = MachineKey(key_id(PUBLIC), "uid-1", PUBLIC, "gateway", since=NOW - 10 * S)


def feed(*keys: MachineKey, **given: Any) -> Feed:
    return Feed(Shared(FewTwins(keys=keys)), **given)


def payload(seq: int = 1, **more: Any) -> bytes:
    said = {"time": NOW - S, "values": {"temperature": 20.5}, "session": "a", "seq": seq, **more}
    return json.dumps({k: v for k, v in said.items() if v is not None}).encode()


def codes(block: Block) -> list[str]:
    return [q.code for q in block.quarantined]


def test_signed_is_taken_and_unsigned_is_not() -> None:
    given = feed(KEY)
    assert values_of(given.send(sign_payload(PRIVATE, "mill-1", payload()))) == {"temperature": 20.5}
    block = given.send(payload(2))
    assert (values_of(block), codes(block)) == ({}, ["signature:missing"])
    assert block.quarantined[0].twin == "mill-1"
    assert values_of(given.send(payload(), twin="mill-2")) == {"temperature": 20.5}, "who has no key need not sign"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (sign_payload(OTHER, "mill-1", payload()), "signature:key-unknown"),
        (sign_payload(PRIVATE, "mill-2", payload()), "signature:wrong"),
        (sign_payload(PRIVATE, "mill-1", payload()).replace(b"20.5", b"20.6"), "signature:wrong"),
        (sign_payload(PRIVATE, "mill-1", payload(seq=None)), "signature:can-be-replayed"),
        (sign_payload(PRIVATE, "mill-1", payload(time=None)), "signature:can-be-replayed"),
        (MARK + b"x y\n" + payload(), "payload:not-json"),
        (MARK + b"no line", "payload:not-json"),
        (sign_payload(PRIVATE, "mill-1", b"not json"), "payload:not-json"),
    ],
)
def test_what_is_not_signed_as_it_must_be_is_in_quarantine(message: bytes, code: str) -> None:
    block = feed(KEY).send(message)
    assert (values_of(block), codes(block)) == ({}, [code])
    assert block.quarantined[0].payload == message, "kept whole, so that it can be looked into"


def test_what_is_refused_uses_up_no_sequence() -> None:
    given = feed(KEY)
    assert codes(given.send(payload(7))) == ["signature:missing"]
    assert values_of(given.send(sign_payload(PRIVATE, "mill-1", payload(7)))) == {"temperature": 20.5}
    block = given.send(sign_payload(PRIVATE, "mill-1", payload(7)))
    assert (values_of(block), codes(block)) == ({}, []), "sent again it counts once"


def test_the_clock_of_receipt_decides_from_when_on_a_key_counts() -> None:
    later = msgspec.structs.replace(KEY, since=NOW + S)
    given = feed(later)
    given.ingest.feed([given.raw(payload(1), received=NOW), given.raw(payload(2), received=NOW + S)])
    block = given.ingest.take()
    assert (values_of(block), codes(block)) == ({"temperature": 20.5}, ["signature:missing"])
    revoked = msgspec.structs.replace(KEY, revoked=NOW)
    for message in (sign_payload(PRIVATE, "mill-1", payload()), sign_payload(PRIVATE, "mill-1", payload(2, time=NOW))):
        assert codes(feed(revoked).send(message)) == ["signature:key-revoked"], "whatever time it gives itself"
    assert codes(feed(revoked).send(payload())) == ["signature:missing"], "a revoked key demands on"
    released = msgspec.structs.replace(revoked, released=NOW)
    assert values_of(feed(released).send(payload())) == {"temperature": 20.5}


def test_a_key_that_follows_another() -> None:
    fresh = public_text(OTHER)
    old = msgspec.structs.replace(KEY, revoked=NOW, released=NOW)
    new = MachineKey(key_id(fresh), "uid-1", fresh, "gateway", since=NOW)
    assert is_demanded([old, new], NOW)
    assert is_demanded([old, new], NOW - 1)
    assert not is_demanded([old, new], NOW - 11 * S)
    assert codes(feed(old, new).send(sign_payload(PRIVATE, "mill-1", payload()))) == ["signature:key-revoked"]
    assert values_of(feed(old, new).send(sign_payload(OTHER, "mill-1", payload()))) == {"temperature": 20.5}


def test_a_foreign_payload_is_signed_like_any_other() -> None:
    mapping = {"topic": "plant/+/data", "twin": "{1}", "values": "v", "time": "t"}
    content = json.dumps({"t": NOW - S, "v": {"temperature": 20.5}, "session": "a", "seq": 1}).encode()
    for message, expected in ((sign_payload(PRIVATE, "mill-1", content), []), (content, ["signature:missing"])):
        given = feed(KEY, mappings=[mapping])
        given.ingest.feed([(1, b"$MQTT.msgs.plant.mill-1.data", message, NOW)])
        block = given.ingest.take()
        assert codes(block) == expected
        assert values_of(block) == ({} if expected else {"temperature": 20.5})


def test_the_last_will_is_the_brokers_word() -> None:
    given = feed(KEY)
    given.ingest.feed([(1, b"$MQTT.msgs.servitwin.mill-1.connection", b"offline", NOW)])
    block = given.ingest.take()
    assert (values_of(block), codes(block)) == ({"_connection": "offline"}, [])


def test_a_machine_that_need_not_sign_keeps_its_fast_way() -> None:
    given = feed(KEY)
    for seq in range(5):
        given.send(payload(seq), twin="mill-2")
    assert given.shared.counters.fast == 4
    given.send(*(sign_payload(PRIVATE, "mill-1", payload(seq)) for seq in range(5)))
    assert given.shared.counters.fast == 4


def test_a_shape_that_was_learned_before_the_key_lets_nothing_through() -> None:
    given = feed()
    for seq in range(3):
        given.send(payload(seq))
    assert given.shared.counters.fast == 2
    twins = given.shared.slots._registry
    assert isinstance(twins, FewTwins)
    twins.keys.append(KEY)
    given.shared.registry_changed()
    assert codes(given.send(payload(3))) == ["signature:missing"]


@given(st.binary(max_size=200), st.sampled_from(["mill-1", "a"]))
def test_a_signature_fits_what_was_signed_and_nothing_else(content: bytes, twin: str) -> None:
    line, inner = split_signed(sign_payload(PRIVATE, twin, content))
    assert line is not None
    assert inner == content
    assert is_signed(PUBLIC, twin, inner, line.signature)
    assert not is_signed(PUBLIC, twin + "x", inner, line.signature)
    assert not is_signed(PUBLIC, twin, inner + b" ", line.signature)
    assert not is_signed(public_text(OTHER), twin, inner, line.signature)


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reading_of_the_line(content: bytes) -> None:
    for message in (content, MARK + content):
        line, inner = split_signed(message)
        assert line is not None or inner == message


@pytest.mark.parametrize("text", ["", "x", base64.b64encode(b"k" * 31).decode(), PUBLIC + " ", PUBLIC[:-1]])
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError) as e:
        key_id(text)
    assert e.value.fault.code == "machine-key:malformed"
