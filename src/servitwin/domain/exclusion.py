"""Exclusions: stopped time that one party claims should not count, and what the other party says to it.

A claim is proposed with evidence, accepted in whole or in part, rejected, or, after the contract's days of silence,
deemed decided. What was rejected can be disputed: the undisputed part settles, the rest is a dispute with its own
record, which both parties end together. Nothing is ever edited: each step is an entry with who and when.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from servitwin.domain.contract import Contract, ExclusionKind, Guarantee
from servitwin.domain.error import ConflictError, Fault, InvalidInputError, RefusedError
from servitwin.domain.instant import DAY, format_instant
from servitwin.domain.state_time_span import Spans

Answer = Literal["accept", "accept_part", "reject", "withdraw", "dispute", "settle"]
Status = Literal[
    "open", "accepted", "part_accepted", "rejected", "deemed_accepted", "deemed_rejected", "withdrawn", "disputed"
]
Stretch = tuple[int, int]


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """What supports a claim: observations of a twin, a work order, a message, a file by its digest."""

    kind: str
    reference: str
    text: str = ""


class Exclusion(msgspec.Struct, frozen=True, omit_defaults=True):
    """A claim that [start, end) of a machine should not count, on a ground that the contract knows."""

    id: str
    contract: str
    twin: str
    kind: ExclusionKind
    start: int
    end: int
    proposer: str
    by: str
    at: int
    text: str = ""
    evidence: tuple[Evidence, ...] = ()


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of a claim. ``parts``: what is accepted, for ``accept_part`` and ``settle``.

    ``number`` counts the steps of a claim from 1: two people who decide at once cannot both write the same step.
    """

    exclusion: str
    number: int
    answer: Answer
    party: str
    by: str
    at: int
    parts: tuple[Stretch, ...] = ()
    text: str = ""


class Standing(msgspec.Struct, frozen=True):
    """Where a claim stands: what of it is accepted, and what is still open between the parties."""

    exclusion: Exclusion
    status: Status
    accepted: tuple[Stretch, ...]
    undecided: tuple[Stretch, ...]
    deemed_at: int
    steps: tuple[Decision, ...]

    @property
    def waiting_for(self) -> Literal["", "other", "both"]:
        """Whose turn it is: of the party that did not propose, of both, or of nobody."""
        return "other" if self.status == "open" else "both" if self.status == "disputed" else ""


def check_exclusion(claim: Exclusion, contract: Contract) -> list[Fault]:
    """All faults of a claim under its contract, at once."""
    faults = []
    guarantee = contract.guarantee
    if claim.end <= claim.start:
        faults.append(Fault("exclusion:period-reversed", "The claim ends before it begins", "Give a later end", "to"))
    if claim.twin not in contract.machines:
        known = ", ".join(contract.machines)
        faults.append(
            Fault(
                "exclusion:machine-unknown", f"{claim.twin} is no machine of {contract.id}", f"One of {known}", "twin"
            )
        )
    kinds = [t.kind for t in guarantee.exclusions] if guarantee else []
    if claim.kind not in kinds:
        hint = f"The contract knows {', '.join(kinds)}" if kinds else "The contract knows no exclusions"
        faults.append(Fault("exclusion:ground-unknown", f"{claim.kind!r} is no ground here", hint, "kind"))
    favoured = contract.customer if claim.kind == "provider_failure" else contract.provider
    if claim.proposer != favoured:
        faults.append(
            Fault(
                "exclusion:proposer-wrong",
                f"{claim.kind} is claimed by {favoured}, whom it would favour",
                "A party that agrees need not claim: it can give the reason of the stop",
                "proposer",
            )
        )
    if claim.end > claim.at:
        faults.append(
            Fault("exclusion:in-the-future", "The claim ends after now", "Claim what has happened, once it has", "to")
        )
    return faults


def standing(claim: Exclusion, steps: Iterable[Decision], guarantee: Guarantee, known_at: int) -> Standing:
    """Where a claim stands at an instant; silence beyond the contract's days decides it."""
    whole = ((claim.start, claim.end),)
    taken = tuple(sorted((s for s in steps if s.at <= known_at), key=lambda s: s.number))
    deemed_at = claim.at + guarantee.deemed.days * DAY
    status: Status = "open"
    accepted: tuple[Stretch, ...] = ()
    undecided: tuple[Stretch, ...] = whole
    for step in taken:
        if step.answer == "accept":
            status, accepted, undecided = "accepted", whole, ()
        elif step.answer == "accept_part":
            status, accepted, undecided = "part_accepted", step.parts, ()
        elif step.answer in {"reject", "withdraw"}:
            status, accepted, undecided = ("rejected" if step.answer == "reject" else "withdrawn"), (), ()
        elif step.answer == "dispute":
            rest = Spans.of(whole).minus(Spans.of(accepted)).pairs()
            status, undecided = "disputed", tuple(rest)
        elif _agreed(step, taken):
            status, accepted, undecided = ("part_accepted" if step.parts else "rejected"), step.parts, ()
    if status == "open" and known_at >= deemed_at:
        if guarantee.deemed.decision == "accepted":
            return Standing(claim, "deemed_accepted", whole, (), deemed_at, taken)
        return Standing(claim, "deemed_rejected", (), (), deemed_at, taken)
    return Standing(claim, status, accepted, undecided, deemed_at, taken)


def next_step(now: Standing, step: Decision, contract: Contract) -> Decision:
    """The step, checked: by the right party, in time, in order, and inside the claim.

    Raises:
        RefusedError: ``exclusion:not-yours-to-decide``.
        ConflictError: ``exclusion:deemed``, ``exclusion:decided``, ``exclusion:out-of-turn``.
        InvalidInputError: ``exclusion:part-outside``, ``exclusion:part-missing``.
    """
    claim = now.exclusion
    if step.party not in {contract.provider, contract.customer}:
        raise RefusedError(
            Fault("exclusion:not-yours-to-decide", f"{step.party} is no party of {contract.id}", where="exclusion")
        )
    own = step.party == claim.proposer
    if step.number != len(now.steps) + 1:
        raise ConflictError(
            Fault(
                "exclusion:out-of-turn",
                f"Step {step.number} does not follow: {len(now.steps)} are taken",
                "Somebody was faster: read the claim again",
                "number",
            )
        )
    if step.answer in {"accept", "accept_part", "reject"}:
        if own:
            raise _not_yours(f"{step.party} proposed this claim", "The other party decides it; you may withdraw it")
        _require_open(now)
    elif step.answer == "withdraw":
        if not own:
            raise _not_yours("Only the proposer withdraws a claim", "Reject it instead")
        _require_open(now)
    elif step.answer == "dispute":
        if not own or now.status not in {"part_accepted", "rejected", "deemed_rejected"}:
            raise _not_yours("Only what was rejected can be disputed, by who claimed it", "Read the claim again")
    elif now.status != "disputed":
        raise ConflictError(
            Fault("exclusion:no-dispute", "There is no dispute to end", "A dispute is opened on what was rejected")
        )
    _check_parts(step, claim)
    return step


def _require_open(now: Standing) -> None:
    if now.status.startswith("deemed"):
        said = now.status.removeprefix("deemed_")
        raise ConflictError(
            Fault(
                "exclusion:deemed",
                f"The claim was deemed {said} at {format_instant(now.deemed_at)}, after silence",
                "What was deemed rejected can be disputed; what was deemed accepted stands",
                "exclusion",
            )
        )
    if now.status != "open":
        raise ConflictError(
            Fault("exclusion:decided", f"The claim is {now.status.replace('_', ' ')}", "Read the claim again")
        )


def _check_parts(step: Decision, claim: Exclusion) -> None:
    if step.answer == "accept_part" and not step.parts:
        raise InvalidInputError(
            Fault("exclusion:part-missing", "Say which part is accepted", "Give parts as [from, to)", "parts")
        )
    if step.answer not in {"accept_part", "settle"} and step.parts:
        raise InvalidInputError(
            Fault("exclusion:part-missing", f"{step.answer!r} takes no parts", "Use accept_part", "parts")
        )
    for start, end in step.parts:
        if not claim.start <= start < end <= claim.end:
            raise InvalidInputError(
                Fault(
                    "exclusion:part-outside",
                    f"{format_instant(start)} to {format_instant(end)} is no part of the claim",
                    f"The claim is {format_instant(claim.start)} to {format_instant(claim.end)}",
                    "parts",
                )
            )


def _agreed(step: Decision, taken: tuple[Decision, ...]) -> bool:
    """A dispute ends when both parties have said the same parts."""
    return any(s.answer == "settle" and s.party != step.party and s.parts == step.parts for s in taken if s is not step)


def _not_yours(message: str, hint: str) -> RefusedError:
    return RefusedError(Fault("exclusion:not-yours-to-decide", message, hint, "exclusion"))
