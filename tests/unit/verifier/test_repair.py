"""The proof of a repair: violated, repaired, and the occurrences since, without recurrence."""

from __future__ import annotations

from typing import Any

import pytest

from servitwin.proof.file.excerpt_part import SignalMeaning
from servitwin.proof.file.proof_file import requirement_digest
from servitwin.proof.verifier import step, verify
from servitwin.proof.verifier.claim import occurrences, recurrence_bound
from servitwin.proof.verifier.formula import evaluate
from tests.unit.verifier.little_log import T0, S, at
from tests.unit.verifier.scene import MAKER, PLANT, TWIN, ClaimedVerdict, Scene, refused

BEFORE = ClaimedVerdict("violated", "cools-down", T0 - 500 * S, T0 - 490 * S, -10.5, -9.5)
AGAIN = ClaimedVerdict("violated", "cools-down", T0 + 2 * S, T0 + 4 * S, -10.5, -9.5)
# hot for two seconds at 5, 15, 25 ... 55: three of the hot phases begin in [10, 40)
AFTER = ClaimedVerdict("repaired", "cools-down", T0 + 10 * S, T0 + 40 * S, 9.25, 10.25, "case-7")


def value(second: int) -> float:
    return 90.0 if second % 10 in (5, 6) else 50.25


def repaired(
    order: str = "vrV",
    done: int = T0,
    about: tuple[tuple[str, ...], str] = ((), ""),
    said_after: int = 1,
    **changed: Any,
) -> bytes:
    """``order``: v the violation, w one after the repair, r and R repairs, V the word that it is verified.

    ``about``: kinds of statements that name a case, and which; ``said_after``: seconds after which a repair is said.
    """
    scene = Scene(claim=AFTER, end=T0 + 60 * S, value=value, seconds=60)
    add = scene.log.add
    digest = requirement_digest(scene.requirement)
    for link in order:
        if link == "v":
            scene.state_verdict(BEFORE, T0 - 480 * S)
        elif link == "w":
            scene.state_verdict(AGAIN, T0 + 5 * S)
        elif link in "rR":
            what, when = ("fan", done) if link == "r" else ("bearing", T0 + 6 * S)
            body = {
                "component": "spindle", "kind": "part", "what": what, "version": "", "done_by": "Maker Ltd",
                "done_at": at(when),
            }  # fmt: skip
            add(scene.maker, "repair", body, when + said_after * S, **subject("repair", about))
        else:
            body = {
                "requirement": digest, "occurrences": 3, "needed": 3, "bound": 1 - 0.05 ** (1 / 3),
                "since": at(AFTER.begin), "cut": {"0": 180}, **changed,
            }  # fmt: skip
            add(scene.maker, "repair-verified", body, T0 + 75 * S, **subject("repair-verified", about))
    return scene.build()


def subject(kind: str, about: tuple[tuple[str, ...], str]) -> dict[str, str]:
    return {"twin": TWIN, "case": about[1]} if kind in about[0] else {"twin": TWIN}


def test_a_repair_is_proven_with_the_bound_that_three_occurrences_allow() -> None:
    found = verify(repaired(), [MAKER.row(), PLANT.row()])
    assert found.ok, (found.code, found.message)
    words = " ".join(found.proven)
    assert "3 times of 3 needed" in words and "at most 63.2 %" in words and "spindle, part, fan" in words
    assert "comparable" in " ".join(found.not_proven)


@pytest.mark.parametrize(("order", "done"), [("rV", T0), ("vV", T0), ("vr", T0), ("rvV", T0), ("vrV", T0 + 20 * S)])
def test_a_chain_with_a_link_missing_or_out_of_order(order: str, done: int) -> None:
    refused(verify(repaired(order, done)), "repair-not-shown")


def test_what_came_back_after_a_repair_needs_another_one_and_that_one_is_named() -> None:
    refused(verify(repaired("vrwV")), "repair-not-shown")
    words = " ".join(verify(repaired("vrwRV")).proven)
    assert "spindle, part, bearing" in words and "fan" not in words


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"occurrences": 4}, "verdict-differs"),
        ({"needed": 4}, "verdict-differs"),
        ({"needed": 2, "occurrences": 2}, "verdict-differs"),  # the bound is that of three
        ({"bound": 0.05}, "verdict-differs"),
        ({"since": at(T0)}, "repair-not-shown"),
        ({"cut": {"0": 1}}, "repair-not-shown"),
        ({"requirement": "sha256:00"}, "repair-not-shown"),
        ({"occurrences": "three"}, "wrong-shape"),
    ],
)
def test_a_word_that_is_not_what_is_counted(changed: dict[str, Any], code: str) -> None:
    refused(verify(repaired(**changed)), code)


def test_what_was_done_in_another_case_proves_nothing_of_this_one() -> None:
    for kinds, case, good in ((("repair",), "case-8", False), (("repair-verified",), "case-8", False),
                              (("repair", "repair-verified"), "case-7", True)):  # fmt: skip
        found = verify(repaired(about=(kinds, case)))
        assert (found.ok, found.code) == (good, "" if good else "proof:repair-not-shown")


def test_what_is_taken_from_the_signer_alone_is_said() -> None:
    said = " ".join(verify(repaired()).not_proven)
    assert "the rule of repair is as the signer states it" in said
    assert "it was said only at" not in said
    late = verify(repaired(said_after=30))
    assert "That the repair was done before 2026-09-21T14:13:30Z" in " ".join(late.not_proven)
    assert "it was said only at 2026-09-21T14:13:50Z" in " ".join(late.not_proven)


def test_a_proof_that_counts_nothing_says_so() -> None:
    found = verify(repaired(needed=0, occurrences=0, bound=1.0))
    assert found.ok
    assert "no occurrence counts" in " ".join(found.proven)
    assert "there was no condition" not in " ".join(found.proven), "there is one"


def test_time_after_what_was_bound_last_is_named() -> None:
    signals = {"temperature": SignalMeaning("number", "Cel", 0.5, None), "_connection": SignalMeaning("text")}
    claim = ClaimedVerdict("holds", "cools-down", T0 + 25 * S, T0 + 50 * S, 29.25, 30.25)
    found = verify(Scene(claim=claim, end=T0 + 60 * S, signals=signals).build())
    assert found.ok, found.message
    assert "What the machine did after 2026-09-21T14:13:52Z" in " ".join(found.not_proven)


def test_fewer_may_qualify_than_are_found() -> None:
    assert verify(repaired(needed=2, occurrences=2, bound=1 - 0.05 ** (1 / 2))).ok


def test_what_trembles_inside_its_accuracy_occurs_once() -> None:
    # 80 degrees, and the sensor knows half a degree: 85, then around 80, then 85 again, then 50 and 85
    readings = [85.0, 80.2, 85.0, 79.8, 85.0, 50.0, 80.1, 85.0]
    held = step.Step([step.BEGIN, *range(8), 8], [None, *((v, v - 0.5, v + 0.5) for v in readings), None])
    compare = {"kind": "compare", "left": {"kind": "signal", "signal": "t"}, "relation": ">"}
    known = evaluate({**compare, "right": {"kind": "number", "value": 80}}, {"t": held})
    assert occurrences(known, 0, 8) == 2
    assert occurrences(known, 2, 5) == 1
    assert occurrences(known, 5, 7) == 0


def test_the_bound_is_about_three_over_n() -> None:
    assert recurrence_bound(1) == pytest.approx(0.95)
    assert recurrence_bound(3) == pytest.approx(1 - 0.05 ** (1 / 3))
    assert recurrence_bound(1000) == pytest.approx(3 / 1000, rel=0.01)
    assert recurrence_bound(0) == 1.0
