"""Statements and keys: every byte counts, and who may speak when."""

from __future__ import annotations

import math

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.canonical_json import canonical
from servitwin.domain.error import InvalidInputError
from servitwin.formats.did_document import did_document, did_of, multibase
from servitwin.proof.log.catalogue import ROW, describe
from servitwin.proof.log.key_ring import KeyRing
from servitwin.proof.log.statement import Subject, is_signed, key_id, read_entry, statement_bytes
from tests.unit.evidence.samples import T0, Signers

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_quick_canonical_json_is_that_of_the_reference(value: object) -> None:
    def written(how: object) -> object:
        try:
            return how(value)  # type: ignore[operator]
        except (ValueError, UnicodeError):
            return "refused"

    assert written(canonical) == written(rfc8785.dumps)


@pytest.mark.parametrize("value", [math.nan, math.inf, {"a": [-math.inf]}])
def test_what_json_does_not_have_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"nan|inf|NaN|Inf"):
        canonical(value)
    with pytest.raises(ValueError, match=r"nan|inf|NaN|Inf"):
        statement_bytes("verdict", "acme", Subject(), T0, {"least": value})


def test_every_changed_byte_is_refused() -> None:
    signers = Signers()
    raw = signers.say("verdict", "acme", {"verdict": "false", "least": -1.5, "cut": {"0": 7}}, subject=Subject("u-1"))
    entry = read_entry(raw)
    assert is_signed(entry, signers.public("acme"))
    for place in range(len(raw)):
        for change in (1, 2, 0x20):
            forged = raw[:place] + bytes([raw[place] ^ change]) + raw[place + 1 :]
            try:
                read = read_entry(forged)
            except InvalidInputError:
                continue
            assert not is_signed(read, signers.public("acme")), (place, forged)
    for forged in (raw[:-1], raw + b" ", b" " + raw, raw.replace(b":7", b":7.0"), b"", b"[]", b"\xff" * 50):
        with pytest.raises(InvalidInputError):
            read_entry(forged)


def test_the_form_is_the_documented_one() -> None:
    content = statement_bytes("repair", "acme", Subject(case="c-1"), T0, {"what": "bearing"})
    assert content == (
        b'{"body":{"what":"bearing"},"by":"acme","kind":"repair","made":"2026-09-21T14:13:20.000000000Z",'
        b'"statement":"servitwin-statement@1","subject":{"case":"c-1"}}'
    )


def ring_of(*entries: bytes) -> KeyRing:
    ring = KeyRing()
    for index, raw in enumerate(entries):
        ring.take(read_entry(raw), index)
    return ring


def refusal(*entries: bytes) -> str:
    with pytest.raises(InvalidInputError) as e:
        ring_of(*entries)
    return e.value.fault.code


def test_keys_follow_each_other() -> None:
    signers = Signers()
    first = signers.state_key("acme")
    old = key_id(signers.public("acme"))
    second = signers.next_key("acme", "acme-2")
    said = signers.say("repair", "acme", {})
    ring = ring_of(first, second, said)
    assert [k.id for k in ring.of("acme")] == [old, key_id(signers.public("acme"))]
    gone = signers.revoke("acme", old, T0 + 50, T0 + 100)
    signers.names.clear()
    before, after = (signers.say("repair", "acme", {"what": str(m)}, T0 + m) for m in (10, 60))
    signers.names["acme"] = "acme-2"
    ring = ring_of(first, second, before, gone)
    assert ring.is_good(old, "acme", T0 + 10, 2), "what was said before stays good"
    assert not ring.is_good(old, "acme", T0 + 50, 2), "what was said from then on is not"
    assert not ring.is_good(old, "acme", T0 + 10, 4), "a date written back does not help after the revocation"
    assert refusal(first, second, gone, after) == "statement:key-revoked"
    assert refusal(first, second, gone, before) == "statement:key-revoked"


def test_nobody_speaks_for_another() -> None:
    signers = Signers()
    first, other = signers.state_key("acme"), signers.state_key("other")
    assert refusal(signers.say("repair", "acme", {})) == "statement:key-unknown"
    assert refusal(first, first) == "statement:key-malformed"
    signers.names["acme"] = "thief"
    assert refusal(first, signers.state_key("acme")) == "statement:key-unknown"
    assert refusal(first, signers.say("repair", "acme", {})) == "statement:key-unknown"
    signers.names["acme"] = "other"
    assert refusal(first, other, signers.say("repair", "acme", {})) == "statement:key-of-other"
    key = key_id(Signers().public("acme"))
    assert refusal(first, other, Signers().revoke("other", key, T0, T0)) == "statement:key-of-other"
    raw = msgspec.json.decode(Signers().say("repair", "acme", {}))
    raw["content"]["by"] = "acme "
    assert refusal(first, canonical(raw)) == "statement:key-of-other"


def test_a_row_of_the_catalogue_for_anything() -> None:
    for raw in (b"", b"x" * 100, b"{}", Signers().say("segment", "acme", {"shard": "?"}), b"\xff" + b"\0" * 32):
        assert len(describe(raw)) == ROW.itemsize


def test_did_web_with_the_published_key_form() -> None:
    # did:key test vector: base58 of ed25519-pub and this key.
    import base64

    key = base64.b64encode(bytes.fromhex("2e6fcce36701dc791488e0d0b1745cc1e33a4c1c9fcc41c63bd343dbbe0970e6")).decode()
    assert multibase(key) == "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
    assert did_of("twin.example:8460", "acme") == "did:web:twin.example%3A8460:parties:acme"
    assert did_document("h", "acme", [])["verificationMethod"] == []
