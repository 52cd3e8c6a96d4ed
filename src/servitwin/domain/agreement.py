"""What surrounds a contract: who signed which version, whether its machines were accepted, and its life."""

from __future__ import annotations

from typing import Literal

import msgspec

from servitwin.domain.acceptance import Finding
from servitwin.domain.contract import Contract

Life = Literal["trial", "offered", "withdrawn", "binding", "ended"]


class Signature(msgspec.Struct, frozen=True, omit_defaults=True):
    """A party's signature (Ed25519) under the digest of a document.

    Attributes:
        digest: ``sha256:...`` of the document's canonical JSON (RFC 8785).
        key: id of the party's key, the first 32 hex digits of the SHA-256 of the public key.
        signature: base64 of the signature over :func:`signed_text`.
        by: account or program that signed for the party.
    """

    digest: str
    party: str
    key: str
    signature: str
    by: str
    at: int


class Withdrawal(msgspec.Struct, frozen=True):
    """The end of an offer: whoever signed it takes it back, or the other party declines it.

    Attributes:
        digest: of the contract's text, which nobody can sign any more.
        party, by: for whom, and who said so; ``at`` ns UTC.
        text: why, for people.
    """

    digest: str
    party: str
    by: str
    at: int
    text: str = ""


class PartyKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """A public key (Ed25519, base64) with which a party signs; from ``revoked`` on it signs nothing new."""

    id: str
    party: str
    public_key: str
    since: int
    revoked: int | None = None


class Acceptance(msgspec.Struct, frozen=True, omit_defaults=True):
    """A party's word on a machine (row C21); it is accepted once both parties have said so.

    Attributes:
        criteria: name, result and what it rests on; an accepted machine's open ones are its open points.
        tested_until: end of what the twin measured (ns UTC); None where it measured nothing.
        version: of the contract whose criteria these are; 0: not kept, before versions were.
        terms: digest of the criteria: both parties accept by the same ones.
        measured: what the twin measured, with all that is needed to measure it again.
    """

    contract: str
    twin: str
    number: int
    party: str
    by: str
    at: int
    answer: Literal["accepted", "refused"]
    criteria: tuple[tuple[str, str, str], ...] = ()
    text: str = ""
    tested_until: int | None = None
    version: int = 0
    terms: str = ""
    measured: tuple[Finding, ...] = ()


class Agreement(msgspec.Struct, frozen=True):
    """A version of a contract with its digest, who signed it, and who ended it before both had."""

    contract: Contract
    digest: str
    added: int
    signatures: tuple[Signature, ...] = ()
    withdrawal: Withdrawal | None = None

    def signed_by(self, party: str) -> bool:
        """Whether that party has signed this version."""
        return any(s.party == party for s in self.signatures)

    @property
    def binding(self) -> bool:
        """Whether both parties have signed."""
        return self.signed_by(self.contract.provider) and self.signed_by(self.contract.customer)

    def life(self, at: int, end: int) -> Life:
        """Where the contract stands: unsigned it is a trial, which runs on the same data without money."""
        if self.binding:
            return "ended" if at >= end else "binding"
        if self.withdrawal is not None:
            return "withdrawn"
        return "offered" if self.signatures else "trial"


def signed_text(purpose: str, digest: str) -> bytes:
    """The bytes under which a signature stands: a signature for one purpose is worth nothing for another."""
    return f"servitwin {purpose} {digest}".encode()


def accepted_at(steps: list[Acceptance], contract: Contract, twin: str) -> int | None:
    """When the second of the two parties accepted a machine; None where one has not, or had refused since.

    Both have to accept by the same criteria. What is accepted by both stays accepted: neither can stop the guarantee's
    clock by a later word, and a later version with other criteria does not set it back.
    """
    done = acceptance_of(steps, contract, twin)
    return None if done is None else done.at


def acceptance_of(steps: list[Acceptance], contract: Contract, twin: str) -> Acceptance | None:
    """The step by which the second of the two parties accepted a machine."""
    last: dict[str, tuple[str, str]] = {}
    for step in sorted(steps, key=lambda s: s.number):
        if step.twin != twin:
            continue
        last[step.party] = (step.answer, step.terms)
        if last.get(contract.provider) == last.get(contract.customer) == ("accepted", step.terms):
            return step
    return None
