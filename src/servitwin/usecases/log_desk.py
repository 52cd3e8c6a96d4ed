"""Questions to the owner of the evidence log over the bus (``ask.evidence``): keys and co-signatures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from servitwin.domain.agreement import PartyKey
from servitwin.domain.error import (
    ConflictError,
    Fault,
    InvalidInputError,
    NotFoundError,
    ServitwinError,
    UnavailableError,
)
from servitwin.proof.log.head import Cosignature, SignedHead
from servitwin.usecases.keep_log import KeepLog

_ERRORS: dict[str, type[ServitwinError]] = {
    "conflict": ConflictError,
    "invalid": InvalidInputError,
    "not-found": NotFoundError,
    "unavailable": UnavailableError,
}


class LogQuestion(msgspec.Struct, omit_defaults=True):
    """What the owner is asked to do; ``since`` in ns UTC."""

    do: Literal["rotate", "revoke", "cosign"]
    party: str = ""
    key: str = ""
    since: int = 0
    reason: str = ""
    head: SignedHead | None = None
    cosignature: Cosignature | None = None
    key_entries: list[str] = []


class LogAnswer(msgspec.Struct, omit_defaults=True):
    """What became of it; with ``faults`` nothing was done, and ``error`` says of which kind they are."""

    key: PartyKey | None = None
    faults: list[Fault] = []
    error: str = ""


class LogDesk:
    """Answers for the owner of the log; one question at a time."""

    def __init__(self, keep: Callable[[], KeepLog | None]) -> None:
        """``keep``: the log's owner, None while the log cannot be opened."""
        self._keep = keep

    def handle(self, payload: bytes) -> bytes:
        """Answer a request."""
        try:
            found = LogAnswer(self._do(msgspec.json.decode(payload, type=LogQuestion)))
        except msgspec.MsgspecError as e:
            found = LogAnswer(faults=[Fault("log:wrong-shape", str(e), "Ask as LogQuestion")], error="invalid")
        except ServitwinError as e:
            kind = next((name for name, error in _ERRORS.items() if isinstance(e, error)), "invalid")
            found = LogAnswer(faults=list(e.faults), error=kind)
        return msgspec.json.encode(found)

    def _do(self, question: LogQuestion) -> PartyKey | None:
        keep = self._keep()
        if keep is None or not keep.open():
            raise UnavailableError(
                Fault("log:not-open", "The evidence log of this node is not open", "Name who operates the node")
            )
        if question.do == "rotate":
            return keep.rotate(question.party)
        if question.do == "revoke":
            return keep.revoke(question.party, question.key, question.since, question.reason)
        if question.head is None or question.cosignature is None:
            raise InvalidInputError(Fault("log:wrong-shape", "A co-signature needs its head", where="head"))
        keep.cosigned(question.head, question.cosignature, question.key_entries)
        return None


def answered(payload: bytes) -> LogAnswer:
    """The answer, or the error that it carries."""
    answer = msgspec.json.decode(payload, type=LogAnswer)
    if answer.faults:
        raise _ERRORS.get(answer.error, InvalidInputError)(answer.faults)
    return answer
