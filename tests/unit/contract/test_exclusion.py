"""Claims: whose turn it is, what silence means, and what can no longer be said."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from servitwin.domain.contract import DeemedTerm, ExclusionTerm
from servitwin.domain.error import ConflictError, InvalidInputError, RefusedError
from servitwin.domain.exclusion import Decision, Exclusion, check_exclusion, next_step
from tests.unit.contract.samples import at, claim, contract, decide, guarantee, stand

ACCESS = claim("access_refused", 300, 310)
HOURS = ((at(300), at(310)),)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"end": at(290)}, "exclusion:period-reversed"),
        ({"twin": "other"}, "exclusion:machine-unknown"),
        ({"kind": "material"}, "exclusion:ground-unknown"),
        ({"proposer": "plant"}, "exclusion:proposer-wrong"),
        ({"at": at(305)}, "exclusion:in-the-future"),
    ],
)
def test_a_claim_that_cannot_be(changes: dict[str, Any], code: str) -> None:
    faulty: Exclusion = msgspec.structs.replace(ACCESS, **changes)
    assert code in [f.code for f in check_exclusion(faulty, contract())]


@pytest.mark.parametrize(("decision", "status"), [("accepted", "deemed_accepted"), ("rejected", "deemed_rejected")])
def test_silence_decides_after_the_agreed_days(decision: Any, status: str) -> None:
    terms = guarantee(deemed=DeemedTerm(2, decision))
    assert stand(ACCESS, known=700 + 47.9, terms=terms).status == "open"
    assert stand(ACCESS, known=748, terms=terms).status == status
    # What is said too late is refused, and what was said in time stands.
    with pytest.raises(ConflictError, match="exclusion:deemed"):
        next_step(stand(ACCESS, known=749, terms=terms), decide("accept", said=749), contract(terms))
    assert stand(ACCESS, decide("reject"), known=800, terms=terms).status == "rejected"


def test_a_partial_answer_leaves_nothing_open_until_it_is_disputed() -> None:
    part = decide("accept_part", (300, 304))
    now = stand(ACCESS, part)
    assert (now.status, now.accepted, now.undecided) == ("part_accepted", ((at(300), at(304)),), ())
    dispute = decide("dispute", number=2, party="maker", said=702)
    next_step(now, dispute, contract())
    disputed = stand(ACCESS, part, dispute)
    assert (disputed.status, disputed.undecided) == ("disputed", ((at(304), at(310)),))
    # It ends when both have said the same.
    first = decide("settle", (300, 306), number=3, party="maker", said=703)
    second = decide("settle", (300, 306), number=4, party="plant", said=704)
    assert stand(ACCESS, part, dispute, first).status == "disputed"
    ended = stand(ACCESS, part, dispute, first, second)
    assert (ended.accepted, ended.undecided) == (((at(300), at(306)),), ())


@pytest.mark.parametrize(
    ("steps", "step", "error", "code"),
    [
        ([], decide("accept", party="maker"), RefusedError, "not-yours-to-decide"),
        ([], decide("accept", party="stranger"), RefusedError, "not-yours-to-decide"),
        ([], decide("withdraw"), RefusedError, "not-yours-to-decide"),
        ([], decide("accept", number=2), ConflictError, "out-of-turn"),
        ([decide("accept")], decide("reject", number=2), ConflictError, "decided"),
        ([], decide("settle"), ConflictError, "no-dispute"),
        ([decide("accept")], decide("dispute", number=2, party="maker"), RefusedError, "not-yours-to-decide"),
        ([], decide("accept_part"), InvalidInputError, "part-missing"),
        ([], decide("accept_part", (299, 301)), InvalidInputError, "part-outside"),
        ([], decide("accept", (300, 301)), InvalidInputError, "part-missing"),
    ],
)
def test_a_step_that_cannot_be_taken(steps: list[Decision], step: Decision, error: type[Exception], code: str) -> None:
    with pytest.raises(error, match=f"exclusion:{code}"):
        next_step(stand(ACCESS, *steps), step, contract())


def test_what_was_decided_later_is_not_known_earlier() -> None:
    assert stand(ACCESS, decide("accept", said=710), known=705).status == "open"


def test_grounds_have_to_be_agreed() -> None:
    terms = guarantee(exclusions=(ExclusionTerm("material"),))
    assert [f.code for f in check_exclusion(ACCESS, contract(terms))] == ["exclusion:ground-unknown"]
