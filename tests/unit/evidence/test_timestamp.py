"""Time stamps on tree heads by a real authority: what is kept, what is believed, and what is refused."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from servitwin.domain.error import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from servitwin.domain.instant import NS, format_instant
from servitwin.engines.files.log_heads import LogHeads, copy_log
from servitwin.engines.remote.timestamp_authority import post_query
from servitwin.proof.log.timestamp import HeadStamp, ask_for, take_answer, verified_time
from servitwin.usecases.stamp_heads import StampHeads
from servitwin.usecases.verify_timestamp import verify_timestamp
from tests.timestamp_authority import Authority, Served
from tests.unit.evidence.test_keep_log import Owner, Remote


@pytest.fixture
def owner(tmp_path: Path) -> Owner:
    made = Owner(tmp_path / "owner")
    assert made.keep.open()
    return made


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority") / "a")


@pytest.fixture
def served(authority: Authority) -> Iterator[Served]:
    with Served(authority) as running:
        yield running


def stamped(owner: Owner, authority: Authority) -> HeadStamp:
    """A stamp of the newest head, without HTTP."""
    head = owner.keep.head
    assert head is not None
    request = ask_for(head)
    return take_answer(head, request, authority.answer(request.content), "https://tsa.example")


class Node(Remote):
    """A node with its time stamps, over its log in this process."""

    def log_timestamps(self) -> list[int]:
        return self.owner.heads.stamped()

    def log_timestamp(self, size: int) -> dict[str, Any]:
        raw = self.owner.heads.stamp(size)
        assert raw is not None
        stamp = msgspec.json.decode(raw, type=HeadStamp)
        return {**msgspec.to_builtins(stamp), "time": format_instant(stamp.time)}


def test_the_newest_head_is_stamped_once_and_the_log_of_today_begins_so(
    owner: Owner, authority: Authority, served: Served
) -> None:
    stamps = StampHeads(owner.heads, served.url, post_query)
    before = time.time_ns()
    found = stamps.stamp()
    assert found is not None
    assert stamps.stamp() is None, "nothing was added since"
    assert served.types == ["application/timestamp-query"]
    size = found.head.head.size
    owner.segment(0, 4)
    owner.segment(5, 9)
    verified = verify_timestamp(Node(owner), authority.roots)
    assert (verified.size, verified.now) == (size, size + 2)
    assert before - 2 * NS < verified.time < time.time_ns() + 2 * NS
    assert stamps.stamp() is not None
    assert owner.heads.stamped() == [size, size + 2]
    assert verify_timestamp(Node(owner), authority.roots, size).size == size


def test_a_copy_of_the_log_has_its_time_stamps(owner: Owner, served: Served, tmp_path: Path) -> None:
    StampHeads(owner.heads, served.url, post_query).stamp()
    copy_log(owner.folder / "log", tmp_path / "copy")
    assert LogHeads(tmp_path / "copy").stamped() == owner.heads.stamped()


def test_a_log_that_was_rewritten_after_its_stamp_is_refused(
    owner: Owner, authority: Authority, served: Served, tmp_path: Path
) -> None:
    owner.segment(0, 4)
    StampHeads(owner.heads, served.url, post_query).stamp()
    other = Owner(tmp_path / "other")
    other.keys = owner.keys
    other.keep = other._keep()
    assert other.keep.open()
    other.segment(0, 5)
    other.segment(6, 9)
    node = Node(other)
    node.log_timestamps = owner.heads.stamped  # type: ignore[method-assign]
    node.log_timestamp = Node(owner).log_timestamp  # type: ignore[method-assign]
    with pytest.raises(ConflictError) as caught:
        verify_timestamp(node, authority.roots)
    assert caught.value.fault.code == "log:forked"
    assert "do not begin with" in caught.value.fault.message


def test_an_authority_that_is_not_trusted_proves_nothing(owner: Owner, authority: Authority, tmp_path: Path) -> None:
    stamp = stamped(owner, authority)
    assert verified_time(stamp, authority.roots) == stamp.time
    for roots, code in ((Authority(tmp_path / "b").roots, "timestamp:not-verified"), (b"no PEM", "timestamp:roots")):
        with pytest.raises(InvalidInputError) as caught:
            verified_time(stamp, roots)
        assert caught.value.fault.code == code


def test_a_certificate_that_was_not_valid_then_is_refused(owner: Owner, tmp_path: Path) -> None:
    expired = Authority(tmp_path / "expired", days=(-30, -10))
    stamp = stamped(owner, expired)
    with pytest.raises(InvalidInputError) as caught:
        verified_time(stamp, expired.roots)
    assert caught.value.fault.code == "timestamp:not-verified"
    assert "expired" in caught.value.fault.message


def test_a_stamp_of_one_head_is_none_of_another(owner: Owner, authority: Authority) -> None:
    stamp = stamped(owner, authority)
    owner.segment(0, 4)
    newer = owner.keep.head
    assert newer is not None
    for moved in (
        msgspec.structs.replace(stamp, head=newer),
        msgspec.structs.replace(stamp, time=stamp.time - NS),
        msgspec.structs.replace(stamp, response="AAAA"),
        msgspec.structs.replace(stamp, response="%"),
    ):
        with pytest.raises(InvalidInputError):
            verified_time(moved, authority.roots)


def test_no_changed_byte_of_an_answer_makes_another_time(owner: Owner, authority: Authority) -> None:
    stamp = stamped(owner, authority)
    answer = base64.b64decode(stamp.response)
    believed = 0
    for i in range(len(answer)):
        changed = answer[:i] + bytes([answer[i] ^ 1]) + answer[i + 1 :]
        moved = msgspec.structs.replace(stamp, response=base64.b64encode(changed).decode())
        try:
            assert verified_time(moved, authority.roots) == stamp.time
            believed += 1  # a byte that says nothing of time or head
        except InvalidInputError:
            continue
    assert believed < len(answer) // 50


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda _a, _q: (503, b""), "timestamp:no-answer"),
        (lambda _a, _q: (302, b""), "timestamp:no-answer"),
        (lambda _a, _q: (200, b""), "timestamp:malformed"),
        (lambda _a, _q: (200, b"<html>hello</html>"), "timestamp:malformed"),
        (lambda _a, _q: (200, b"\x30" * 200_000), "timestamp:no-answer"),
        (lambda a, q: (200, a.answer(q[:-4])), "timestamp:refused"),
    ],
)
def test_an_authority_that_misbehaves_is_told_and_nothing_is_kept(
    owner: Owner, authority: Authority, served: Served,
    answer: Callable[[Authority, bytes], tuple[int, bytes]], code: str,
) -> None:  # fmt: skip
    served.answer = lambda query: answer(authority, query)
    with pytest.raises(UnavailableError) as caught:
        StampHeads(owner.heads, served.url, post_query).stamp()
    assert caught.value.fault.code == code
    assert owner.heads.stamped() == []


def test_an_answer_to_an_earlier_question_is_not_taken(owner: Owner, authority: Authority, served: Served) -> None:
    head = owner.keep.head
    assert head is not None
    earlier = authority.answer(ask_for(head).content)
    served.answer = lambda _: (200, earlier)
    with pytest.raises(UnavailableError) as caught:
        StampHeads(owner.heads, served.url, post_query).stamp()
    assert caught.value.fault.code == "timestamp:of-something-else"


def test_an_authority_that_is_not_there_is_told(owner: Owner) -> None:
    for url in ("http://127.0.0.1:9/tsr", "http://[broken"):
        with pytest.raises(UnavailableError) as caught:
            StampHeads(owner.heads, url, post_query).stamp()
        assert caught.value.fault.code == "timestamp:unreachable"


def test_a_log_without_a_stamp_says_so(owner: Owner, authority: Authority) -> None:
    with pytest.raises(NotFoundError) as caught:
        verify_timestamp(Node(owner), authority.roots)
    assert caught.value.fault.code == "timestamp:none"
