"""A release file that somebody changed: each change that would matter is refused, in words that say what is wrong.

Three of them try: a stranger without any key, the holder of the node's key who seals the file again, and the owner of
the log who rebuilds tree, head and seal as well. None of them can speak for the maker.
"""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from servitwin.domain.agreement import signed_text
from servitwin.proof.verifier import canonical, verify_release
from servitwin.proof.verifier.merkle import leaf, root_of
from tests.unit.simulation.release_house import House

Change = Callable[[Any], None]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    made = House(tmp_path_factory.mktemp("house"))
    assert made.tried(controller="mill-door@2").state == "passed"
    made.logged()
    return made


@pytest.fixture(scope="module")
def content(house: House) -> bytes:
    return house.file()


def step(file: Any, name: str) -> Any:
    return next(s for s in file["record"]["gate"]["steps"] if s["name"] == name)


def statement(file: Any) -> Any:
    return next(e["entry"] for e in file["statements"]["entries"] if e["entry"]["content"]["kind"] == "release")


def makers_key(file: Any) -> Any:
    return next(e["entry"] for e in file["statements"]["entries"] if e["entry"]["content"]["by"] == "aurora")


def one_letter_on(text: str) -> str:
    """The same length and alphabet of base64 or hexadecimal; another value."""
    return ("0" if text[0] != "0" else "1") + text[1:]


def figure(file: Any) -> None:
    found = step(file, "performance")["found"]
    found[0] = found[0].replace("release 30.00", "release 31.00")
    assert "31.00" in found[0]


def outcome(file: Any) -> None:
    step(file, "replayed")["outcome"] = "passed"


def package(file: Any) -> None:
    file["record"]["release"]["artefact"] = "sha256:" + "0" * 64


def record_hash(file: Any) -> None:
    body = statement(file)["content"]["body"]
    body["record"] = "sha256:" + one_letter_on(body["record"].removeprefix("sha256:"))


def signature(file: Any) -> None:
    statement(file)["signature"] = one_letter_on(statement(file)["signature"])


def key(file: Any) -> None:
    body = makers_key(file)["content"]["body"]
    body["public_key"] = one_letter_on(body["public_key"])


def root(file: Any) -> None:
    head = file["log"]["head"]["head"]
    head["root"] = one_letter_on(head["root"])


def head_signature(file: Any) -> None:
    file["log"]["head"]["signature"] = one_letter_on(file["log"]["head"]["signature"])


def statement_left_out(file: Any) -> None:
    file["statements"]["entries"].pop()


def changed(content: bytes, change: Change, *again: Change) -> bytes:
    file = msgspec.json.decode(content)
    for one in (change, *again):
        one(file)
    return canonical.write(file)


def sealed_by(house: House) -> Change:
    """The node's operator seals the file again."""

    def seal(file: Any) -> None:
        whole = {name: value for name, value in file.items() if name != "seal"}
        _, made = house.keys.sign("lumo", signed_text("proof", canonical.digest(whole)))
        file["seal"]["signature"] = made

    return seal


def logged_by(house: House) -> Change:
    """The owner of the log, who shows all of its entries, makes tree and head fit what he changed."""

    def rebuild(file: Any) -> None:
        assert file["statements"]["hashes"] == []
        leaves = [leaf(canonical.write(e["entry"])) for e in file["statements"]["entries"]]
        signed = file["log"]["head"]
        signed["head"]["root"] = root_of(leaves).hex()
        signed["head"]["size"] = len(leaves)
        _, signed["signature"] = house.keys.sign("lumo", signed_text("tree-head", canonical.digest(signed["head"])))

    return rebuild


ALL = [figure, outcome, package, record_hash, signature, key, root, head_signature, statement_left_out]


def test_the_file_as_it_was_written_stands(house: House, content: bytes) -> None:
    assert verify_release(content, house.keys_known()).ok
    assert verify_release(changed(content, sealed_by(house)), house.keys_known()).ok
    assert verify_release(changed(content, logged_by(house), sealed_by(house)), house.keys_known()).ok


@pytest.mark.parametrize("change", ALL)
def test_nobody_without_a_key_changes_it(content: bytes, change: Change) -> None:
    found = verify_release(changed(content, change))
    assert not found.ok and found.code.startswith("proof:") and found.message, found
    if change in (figure, outcome, package):
        assert (found.code, found.message) == ("proof:seal-broken", "the file was changed after it was sealed")


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        (figure, "release:record-changed", "not the one that was signed"),
        (outcome, "release:record-changed", "not the one that was signed"),
        (package, "release:record-changed", "not the one that was signed"),
        (record_hash, "proof:entry-not-in-log", "an entry was changed"),
        (signature, "proof:entry-not-in-log", "an entry was changed"),
        (key, "proof:entry-not-in-log", "an entry was changed"),
        (root, "proof:entry-not-in-log", "do not lead to the head of the log"),
        (head_signature, "proof:signature-wrong", "does not stand under this tree-head"),
        (statement_left_out, "proof:entry-not-in-log", "the path to the log does not fit"),
    ],
)
def test_the_holder_of_the_seal_changes_nothing(
    house: House, content: bytes, change: Change, code: str, says: str
) -> None:
    found = verify_release(changed(content, change, sealed_by(house)))
    assert (found.ok, found.code) == (False, code) and says in found.message, found


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        (record_hash, "proof:signature-wrong", "the signature of aurora does not stand under this statement"),
        (signature, "proof:signature-wrong", "the signature of aurora does not stand under this statement"),
        (key, "proof:key-wrong", "is not the id of this key"),
        (statement_left_out, "release:no-statement", "0 release statements"),
    ],
)
def test_the_owner_of_the_log_does_not_speak_for_the_maker(
    house: House, content: bytes, change: Change, code: str, says: str
) -> None:
    found = verify_release(changed(content, change, logged_by(house), sealed_by(house)))
    assert (found.ok, found.code) == (False, code) and says in found.message, found


def test_a_key_put_in_the_makers_place_is_seen_by_who_knows_the_makers_key(house: House, content: bytes) -> None:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    named = hashlib.sha256(public).hexdigest()[:32]

    def forged(file: Any) -> None:
        outcome(file)
        statement(file)["content"]["body"]["record"] = canonical.digest(file["record"])
        makers_key(file)["content"]["body"] |= {"key": named, "public_key": base64.b64encode(public).decode()}
        for entry in (makers_key(file), statement(file)):
            text = signed_text("statement", canonical.digest(entry["content"]))
            entry |= {"key": named, "signature": base64.b64encode(private.sign(text)).decode()}

    made = changed(content, forged, logged_by(house), sealed_by(house))
    alone = verify_release(made)
    assert alone.ok and not alone.who_known  # it fits together, and the answer says that nobody is known
    found = verify_release(made, house.keys_known())
    assert (found.ok, found.code) == (False, "proof:key-unknown") and "says it is aurora's" in found.message, found


def test_no_single_changed_byte_is_overlooked(content: bytes) -> None:
    for place in range(0, len(content), max(1, len(content) // 120)):
        spoilt = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        assert not verify_release(spoilt).ok, place


@pytest.mark.parametrize("cut", [0, 1, 9, 2000])
def test_a_file_cut_short_is_refused(content: bytes, cut: int) -> None:
    found = verify_release(content[:cut])
    assert not found.ok and found.code.startswith("proof:") and found.message
