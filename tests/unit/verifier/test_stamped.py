"""Proof files with a time stamp: the small verifier says what it does not judge, and who names roots has it judged."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from servitwin.proof.file.proof_file import StampedHead
from servitwin.proof.log.head import read_head
from servitwin.proof.log.timestamp import HeadStamp, ask_for, take_answer
from servitwin.proof.verifier import verify
from tests.timestamp_authority import Authority
from tests.unit.verifier.little_log import S, consistency
from tests.unit.verifier.scene import T0, Scene, refused, resealed, signed_head
from tests.unit.verifier.test_tampered import KEYS

URL = "https://tsa.example/tsr"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa") / "a")


def stamp_of(authority: Authority, told: dict[str, Any]) -> HeadStamp:
    head = read_head(told)
    request = ask_for(head)
    return take_answer(head, request, authority.answer(request.content), URL)


@pytest.fixture(scope="module")
def scene(authority: Authority) -> Scene:
    """The violation with a stamp of the head before the verdict."""
    made = Scene()
    made.state_verdict(made.claim, T0 + (made.seconds + 20) * S)
    leaves = made.log.leaves
    size = len(leaves) - 1
    told = made.log.head(size, T0 + (made.seconds + 18) * S)
    stamp = stamp_of(authority, told)
    made.stamped = [
        StampedHead(signed_head(told), URL, stamp.response, stamp.time, consistency(size, leaves)),
    ]
    return made


@pytest.fixture(scope="module")
def content(scene: Scene) -> bytes:
    return scene.written()


def judged(file: Path, *more: str, code: int) -> Any:
    command = [sys.executable, "-m", "servitwin.bootstrap", "verify", str(file), "--json", *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_the_small_verifier_shows_the_stamp_and_says_that_it_does_not_judge_it(content: bytes) -> None:
    found = verify(content, KEYS)
    assert found.ok, found
    [line] = [x for x in found.not_proven if "RFC 3161" in x]
    assert URL in line and "does not read" in line and "--timestamp-roots" in line
    assert not [x for x in found.proven if "RFC 3161" in x]
    assert found.details["stamped"][0]["size"] == found.details["size"] - 1


def test_who_names_the_root_has_it_judged(content: bytes, authority: Authority, tmp_path: Path) -> None:
    file = tmp_path / "a.proof"
    file.write_bytes(content)
    found = judged(file, "--timestamp-roots", str(authority.folder / "root.pem"), code=0)
    assert [x for x in found["proven"] if "RFC 3161" in x and "under a root that you trust" in x]
    assert not [x for x in found["not_proven"] if "RFC 3161" in x]
    stranger = Authority(tmp_path / "stranger").folder / "root.pem"
    found = judged(file, "--timestamp-roots", str(stranger), code=1)
    assert (found["ok"], found["code"], found["proven"]) == (False, "timestamp:not-verified", [])


def test_another_time_than_the_authoritys_is_seen_by_who_judges(
    content: bytes, authority: Authority, tmp_path: Path
) -> None:
    def earlier(file: dict[str, Any]) -> None:
        file["log"]["stamped"][0]["time"] = "2020-01-01T00:00:00.000000000Z"

    file = tmp_path / "a.proof"
    file.write_bytes(resealed(content, earlier))
    found = judged(file, "--timestamp-roots", str(authority.folder / "root.pem"), code=1)
    assert found["code"] == "timestamp:of-something-else"


def test_a_file_without_a_stamp_has_none_to_judge(authority: Authority, tmp_path: Path) -> None:
    file = tmp_path / "a.proof"
    file.write_bytes(Scene().build())
    found = judged(file, "--timestamp-roots", str(authority.folder / "root.pem"), code=1)
    assert found["code"] == "timestamp:none"


def test_a_stamp_of_another_log_or_head_is_refused(content: bytes, scene: Scene, authority: Authority) -> None:
    def answer_of_another(file: dict[str, Any]) -> None:
        stamp = stamp_of(authority, scene.log.head(2, T0))
        file["log"]["stamped"][0]["response"] = stamp.response

    def forked(file: dict[str, Any]) -> None:
        one = file["log"]["stamped"][0]
        one["head"]["head"]["root"] = "00" * 32
        one["head"]["signature"] = scene.maker.sign("tree-head", one["head"]["head"])

    def unsigned(file: dict[str, Any]) -> None:
        file["log"]["stamped"][0]["head"]["head"]["size"] = 1

    def no_base64(file: dict[str, Any]) -> None:
        file["log"]["stamped"][0]["response"] = "%"

    def no_answer(file: dict[str, Any]) -> None:
        file["log"]["stamped"][0]["response"] = base64.b64encode(b"hello").decode()

    def no_list(file: dict[str, Any]) -> None:
        file["log"]["stamped"] = {}

    for change, code in (
        (answer_of_another, "stamp-elsewhere"), (forked, "log-forked"), (unsigned, "signature-wrong"),
        (no_base64, "wrong-shape"), (no_answer, "stamp-elsewhere"), (no_list, "wrong-shape"),
    ):  # fmt: skip
        refused(verify(resealed(content, change)), code)


def test_no_byte_of_the_stamp_can_change(content: bytes) -> None:
    begin, end = content.index(b'"stamped":['), content.index(b'"machine":')
    for i in range(begin, end, 3):
        changed = content[:i] + bytes([content[i] ^ 1]) + content[i + 1 :]
        assert not verify(changed).ok, i
