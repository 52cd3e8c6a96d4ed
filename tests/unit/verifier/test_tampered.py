"""Everything that can be done to a proof file, by strangers and by the holder of all of the manufacturer's keys."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from servitwin.proof.file.excerpt_part import SignalMeaning
from servitwin.proof.verifier import verify
from tests.unit.verifier.little_log import T0, LittleLog, Row, S, Signer, at
from tests.unit.verifier.scene import (
    MAKER,
    PLANT,
    TWIN,
    ClaimedVerdict,
    Scene,
    refused,
    requirement,
    resealed,
)

KEYS = [MAKER.row(), PLANT.row()]


@pytest.fixture(scope="module")
def content() -> bytes:
    return Scene().build()


def test_what_is_whole_is_proven(content: bytes) -> None:
    alone, known = verify(content), verify(content, KEYS)
    assert alone.ok and not alone.who_known and "who stands behind it is not known" in alone.not_proven[0]
    assert known.ok and known.who_known
    assert known.details["triggered"] == 1 and known.details["cosigned_by"] == ["plant"]


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    "bit", [0x01, pytest.param(0x20, marks=pytest.mark.long), pytest.param(0x80, marks=pytest.mark.long)]
)
def test_every_change_of_a_single_byte_is_refused(content: bytes, bit: int) -> None:
    accepted = []
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= bit
        if verify(bytes(changed)).ok:
            accepted.append(place)
    assert not accepted


def test_a_byte_more_or_less_is_refused(content: bytes) -> None:
    for changed in (
        content + b"\n",
        content + b" ",
        b" " + content,
        content[:-1],
        content[1:],
        b"",
        b"\xef\xbb\xbf" + content,
    ):
        assert not verify(changed).ok


def test_what_was_sealed_by_another_is_refused_once_keys_are_given(content: bytes) -> None:
    thief = Signer("maker", 9)
    forged = Scene(maker=thief).build()
    assert verify(forged).ok  # consistent in itself, and it says so
    refused(verify(forged, KEYS), "key-unknown")
    refused(verify(resealed(content, lambda f: None, thief)), "key-unknown")


def test_a_byte_changed_and_not_sealed_again(content: bytes) -> None:
    refused(verify(content.replace(b'"M-77"', b'"M-78"')), "seal-broken")


# --- keys ------------------------------------------------------------------------------------------------------------
def test_a_key_that_was_revoked_before_counts_for_nothing(content: bytes) -> None:
    refused(verify(content, [MAKER.row(revoked=at(T0)), PLANT.row()]), "key-revoked")
    assert verify(content, [MAKER.row(revoked=at(T0 + 1000 * S)), PLANT.row()]).ok


def rotated(revoked_since: int | None) -> Scene:
    """The maker's first key is followed by a second, which signs the verdict; perhaps it was revoked."""
    scene = Scene()
    second = Signer("maker", 7)
    scene.log.add_key(second, MAKER, T0 + 40 * S)
    if revoked_since is not None:
        scene.log.revoke(second, MAKER, revoked_since, T0 + 45 * S)
    scene.maker = scene.log.owner = second
    return scene


def test_a_second_key_follows_the_first_and_the_old_one_still_verifies() -> None:
    assert verify(rotated(None).build(), KEYS).ok
    refused(verify(rotated(T0 + 44 * S).build(), KEYS), "key-revoked")
    refused(verify(rotated(T0 + 5000 * S).build()), "key-revoked")  # in the log the revocation stands before


def test_a_key_that_no_earlier_one_signed_for() -> None:
    scene = Scene()
    scene.log.add_key(Signer("maker", 7))
    refused(verify(scene.build()), "key-wrong")


def test_a_revocation_that_the_file_leaves_out_is_found_in_the_own_copy(tmp_path: Path) -> None:
    scene = rotated(T0 + 44 * S)
    content = scene.build(shown=set(range(len(scene.log.entries) + 1)) - {6})
    scene.log.write_entries(tmp_path)
    assert verify(content).ok
    refused(verify(content, None, None, tmp_path), "key-revoked")


def test_a_party_cannot_sign_for_another() -> None:
    scene = Scene()
    entry = scene.log.entries[-1]
    entry["signature"] = PLANT.sign("statement", entry["content"])
    entry["key"] = PLANT.key
    refused(verify(scene.build()), "signature-wrong")


# --- statements and log ---------------------------------------------------------------------------------------------
def test_a_statement_moved_to_another_machine(content: bytes) -> None:
    def move(file: dict[str, Any]) -> None:
        file["statements"]["entries"][-1]["entry"]["content"]["subject"]["twin"] = "0199-other"

    refused(verify(resealed(content, move)), "entry-not-in-log")
    scene = Scene()
    scene.state_verdict(scene.claim, T0 + 50 * S)
    stated = scene.log.entries[-1]
    stated["content"]["subject"]["twin"] = "0199-other"
    refused(verify(scene.written()), "signature-wrong")
    stated["signature"] = MAKER.sign("statement", stated["content"])
    refused(verify(scene.written()), "statement-elsewhere")


@pytest.mark.parametrize("change", ["dropped", "reordered", "repeated", "renumbered"])
def test_entries_dropped_reordered_or_repeated(content: bytes, change: str) -> None:
    def tamper(file: dict[str, Any]) -> None:
        entries = file["statements"]["entries"]
        if change == "dropped":
            del entries[2]
        elif change == "reordered":
            entries[2]["entry"], entries[3]["entry"] = entries[3]["entry"], entries[2]["entry"]
        elif change == "repeated":
            entries.insert(2, copy.deepcopy(entries[2]))
        else:
            entries[-1]["index"] += 1

    code = "entry-repeated" if change == "repeated" else "entry-not-in-log"
    refused(verify(resealed(content, tamper)), code)


def test_a_head_of_another_log_or_signed_by_another(content: bytes) -> None:
    def other(file: dict[str, Any]) -> None:
        file["log"]["head"]["head"]["made"] = at(T0)

    refused(verify(resealed(content, other)), "signature-wrong")

    def by_plant(file: dict[str, Any]) -> None:
        head = file["log"]["head"]
        head["key"], head["signature"] = PLANT.key, PLANT.sign("tree-head", head["head"])

    refused(verify(resealed(content, by_plant)), "signature-wrong")


def test_a_cosignature_that_is_not_one(content: bytes) -> None:
    def self_signed(file: dict[str, Any]) -> None:
        one = file["log"]["cosigned"][0]
        one["by"][0].update(party="maker", key=MAKER.key, signature=MAKER.sign("cosign", one["head"]["head"]))

    def other_purpose(file: dict[str, Any]) -> None:
        one = file["log"]["cosigned"][0]
        one["by"][0]["signature"] = PLANT.sign("tree-head", one["head"]["head"])

    refused(verify(resealed(content, self_signed)), "signature-wrong")
    refused(verify(resealed(content, other_purpose)), "signature-wrong")


def test_a_log_that_does_not_continue_the_cosigned_head(content: bytes) -> None:
    def fork(file: dict[str, Any]) -> None:
        one = file["log"]["cosigned"][0]
        one["head"]["head"]["root"] = "00" * 32
        one["head"]["signature"] = MAKER.sign("tree-head", one["head"]["head"])
        one["by"][0]["signature"] = PLANT.sign("cosign", one["head"]["head"])

    refused(verify(resealed(content, fork)), "log-forked")


def test_with_all_of_the_makers_keys_the_past_rewritten_is_refused_and_the_segment_named(tmp_path: Path) -> None:
    honest, forged = Scene(), Scene(hot=(10, 11), claim=ClaimedVerdict("holds", "cools-down", T0, T0 + 24 * S, 0, 0))
    honest.build()
    honest.log.write_entries(tmp_path / "copy")
    shown = forged.build()
    # all of it is recomputed and signed: alone it is consistent but for the margin, against the copy it is a fork
    found = refused(verify(shown, KEYS, None, tmp_path / "copy"), "log-forked")
    assert "segment of shard 0, sequences 31 to 60" in found.where and at(T0 + 10 * S) in found.where
    own = honest.log.head(5, T0 + 49 * S)
    refused(verify(shown, KEYS, own), "log-forked")


def test_own_heads_are_compared(content: bytes, tmp_path: Path) -> None:
    scene = Scene()
    scene.build()
    known = [scene.log.head(5, T0), scene.log.head(6, T0)["head"]]
    assert verify(content, KEYS, known).ok
    assert "your own node co-signed" in " ".join(verify(content, KEYS, known).proven)
    refused(verify(content, KEYS, scene.log.head(3, T0)), "head-not-linked")
    scene.log.write_entries(tmp_path)
    assert verify(content, KEYS, scene.log.head(3, T0), tmp_path).ok
    other = LittleLog(PLANT)
    other.add_key(PLANT)
    refused(verify(content, KEYS, other.head(1, T0)), "log-other")


def test_a_copy_that_is_behind_says_so(content: bytes, tmp_path: Path) -> None:
    scene = Scene()
    scene.log.entries = scene.log.entries[:4]
    scene.log.write_entries(tmp_path)
    refused(verify(content, KEYS, None, tmp_path), "head-not-linked")
    refused(verify(content, KEYS, None, tmp_path / "nowhere"), "witness-unreadable")


# --- observations -----------------------------------------------------------------------------------------------------
def test_a_row_changed_is_refused_and_its_segment_named() -> None:
    scene = Scene()
    scene.build()
    for row in scene.log.segments[1].rows:
        if row.signal == "temperature" and row.value == 90.0:
            row.value = 70.0
    found = refused(verify(scene.written()), "block-differs")
    assert "shard 0, sequences 31 to 60" in found.where


@pytest.mark.parametrize("left_out", ["row", "block", "signal", "last segment", "first segment", "connection"])
def test_an_excerpt_that_leaves_out_samples(left_out: str) -> None:
    scene = Scene()
    scene.state_verdict(scene.claim, T0 + 50 * S)
    segments, shown = scene.log.segments, None
    code = "block-differs"
    if left_out == "row":
        segments[1].rows.remove(next(r for r in segments[1].rows if r.signal == "temperature"))
    elif left_out == "block":
        segments[1].rows[:] = [r for r in segments[1].rows if r.signal != "temperature"]
        code = "excerpt-short"
    elif left_out == "signal":
        scene.signals = {"_connection": SignalMeaning("text"), "load": SignalMeaning("number")}
        code = "excerpt-changed"
    elif left_out == "last segment":
        shown = {0, 1, 2, 3, 5}
        del segments[2]
        code = "segment-missing"
    elif left_out == "first segment":
        shown = {0, 1, 3, 4, 5}
        del segments[0]
        code = "segment-missing"
    else:
        scene.signals = {"temperature": SignalMeaning("number", "Cel", 0.5, 5 * S)}
        code = "excerpt-changed"
    refused(verify(scene.written(shown)), code)


def test_an_excerpt_signed_without_what_the_formula_reads_is_short() -> None:
    for signals in ({"_connection": SignalMeaning("text")}, {"temperature": SignalMeaning("number", "Cel", 0.5)}):
        refused(verify(Scene(signals=signals).build()), "excerpt-short")


def test_a_segment_in_the_middle_left_out() -> None:
    scene = Scene()
    scene.state_verdict(scene.claim, T0 + 50 * S)
    del scene.log.segments[1]
    found = refused(verify(scene.written({0, 1, 2, 4, 5})), "segment-missing")
    assert "sequences 31 to 60 of shard 0" in found.message
    refused(verify(scene.written()), "excerpt-short")  # stated, but none of it is shown


def test_rows_of_another_stream_are_missed_by_the_own_copy(tmp_path: Path) -> None:
    scene = Scene()
    cold = Row(TWIN, "temperature", T0 + 12 * S, 1, 0, 20.0)
    scene.log.bind(1, 1, 5, [cold], T0 + 44 * S)
    del scene.log.segments[-1]
    content = scene.build(shown={0, 1, 2, 3, 4, 6})
    scene.log.write_entries(tmp_path)
    assert "other streams than 0" in " ".join(verify(content).not_proven)
    found = refused(verify(content, KEYS, None, tmp_path), "segment-missing")
    assert "shard 1" in found.where


def test_rows_that_come_later_than_the_cut_do_not_count() -> None:
    late = [Row(TWIN, "temperature", T0 + 12 * S, 90, 5, 20.0)]
    refused(verify(Scene(more_rows=late).build()), "verdict-differs")
    assert verify(Scene(more_rows=late, known_up_to=89).build()).ok


@pytest.mark.parametrize(
    "meaning",
    [
        SignalMeaning("number", "K", 0.5, 5 * S),
        SignalMeaning("number", "Cel", 0.0, 5 * S),
        SignalMeaning("number", "Cel", 30.0, 5 * S),
        SignalMeaning("number", "Cel", 0.5, 50 * S),
    ],
)
def test_unit_accuracy_or_gap_changed_after_the_fact(meaning: SignalMeaning) -> None:
    scene = Scene()
    scene.state_verdict(scene.claim, T0 + 50 * S)
    scene.signals["temperature"] = meaning
    refused(verify(scene.written()), "excerpt-changed")


def test_a_requirement_changed_after_the_fact() -> None:
    scene = Scene()
    scene.state_verdict(scene.claim, T0 + 50 * S)
    scene.requirement = requirement(text="A hot spindle is below 70 degrees within 5 s.")
    refused(verify(scene.written()), "requirement-changed")


def test_a_claim_that_is_not_what_the_rows_say() -> None:
    longer = ClaimedVerdict("violated", "cools-down", T0 + 10 * S, T0 + 17 * S, -10.5, -9.5)
    refused(verify(Scene(claim=longer).build()), "verdict-differs")
    better = ClaimedVerdict("violated", "cools-down", T0 + 10 * S, T0 + 16 * S, -20.5, -9.5)
    refused(verify(Scene(claim=better).build()), "verdict-differs")
    holds = ClaimedVerdict("holds", "cools-down", T0 + 10 * S, T0 + 16 * S, -10.5, -9.5)
    refused(verify(Scene(claim=holds).build()), "verdict-differs")
    outside = ClaimedVerdict("violated", "cools-down", T0 + 10 * S, T0 + 16 * S, -10.5, -9.5)
    refused(verify(Scene(claim=outside, end=T0 + 12 * S).build()), "excerpt-short")


def test_the_verdict_that_was_signed_is_the_one_that_is_claimed() -> None:
    for change in ({"verdict": "true"}, {"least": -1}, {"logic": "other@1"}, {"cut": {"0": 1}}):
        assert not verify(Scene(verdict=change).build()).ok
    refused(verify(Scene(verdict={"from": at(T0)}).build()), "verdict-not-stated")
