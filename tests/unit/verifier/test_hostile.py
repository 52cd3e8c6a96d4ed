"""Files made to break a reader: what is no JSON, what unpacks without end, and any part replaced by anything."""

from __future__ import annotations

import base64
import copy
import zlib
from typing import Any

import msgspec
import pytest
import rfc8785

from servitwin.proof.verifier import verify
from tests.unit.verifier.scene import MAKER, Scene, refused, resealed


@pytest.fixture(scope="module")
def content() -> bytes:
    return Scene().build()


@pytest.mark.parametrize(
    ("hostile", "code"),
    [
        (b"[" * 100_000, "too-deep"),
        (b'{"a":' * 50_000, "too-deep"),
        (b"[" * 300 + b"]" * 300, "too-deep"),
        (b'{"a":NaN}', "not-json"),
        (b'{"a":1e999}', "not-canonical"),
        (b'{"a":' + b"9" * 5000 + b"}", "not-json"),
        (b'{"a":90071992547409931}', "not-canonical"),
        (b'{"a":1.0}', "not-canonical"),
        (b'{"a":1,"a":1}', "not-canonical"),
        (b'{"b":1,"a":1}', "not-canonical"),
        (b'{"a":"\\ud800"}', "not-canonical"),
        (b"\xff\xfe", "not-json"),
        (b"null", "wrong-shape"),
        (b"{}", "wrong-shape"),
    ],
)
def test_what_is_no_proof_file(hostile: bytes, code: str) -> None:
    refused(verify(hostile), code)


def test_a_column_that_unpacks_without_end(content: bytes) -> None:
    bomb = base64.b64encode(zlib.compress(bytes(50_000_000), 9)).decode()

    def explode(file: dict[str, Any]) -> None:
        file["excerpt"]["columns"][0]["data"] = bomb

    def absurd(file: dict[str, Any]) -> None:
        file["excerpt"]["columns"][0].update(n=2**52, data=bomb)

    refused(verify(resealed(content, explode)), "wrong-shape")
    refused(verify(resealed(content, absurd)), "too-large")


def test_numbers_that_are_none(content: bytes) -> None:
    for word in (float("inf"), float("nan")):
        scene = Scene(value=lambda second, word=word: word)
        refused(verify(scene.build()), "wrong-shape")
    for value in (1e308, -1e308, 5e-324, -0.0):
        result = verify(Scene(value=lambda second, value=value: value).build())
        assert result.ok or result.code == "proof:verdict-differs"


def test_any_part_replaced_by_anything_is_refused_in_words(content: bytes) -> None:
    strange: list[Any] = [None, True, -1, 2**60, 1.5, "", "x" * 50, [], [[]], {}, {"kind": []}]
    file = msgspec.json.decode(content)
    places: list[tuple[Any, ...]] = []

    def walk(value: Any, place: tuple[Any, ...]) -> None:
        children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, child in children:
            places.append((*place, key))
            walk(child, (*place, key))

    walk(file, ())
    for number, place in enumerate(p for p in places if p[0] not in ("seal",)):
        for value in strange[number % 3 :: 3]:
            changed = copy.deepcopy(file)
            part = changed
            for key in place[:-1]:
                part = part[key]
            if part[place[-1]] == value:
                continue
            part[place[-1]] = str(value) if value == 2**60 else value
            del changed["seal"]
            changed["seal"] = {"key": MAKER.key, "signature": MAKER.sign("proof", changed)}
            result = verify(rfc8785.dumps(changed))  # never an exception
            assert result.ok or result.code.startswith("proof:")
            if result.ok:
                assert place[0] in ("machine", "parties", "limits", "requirement", "log"), place  # said, not checked
