"""Give a reason for a stop, or correct one that was given."""

from __future__ import annotations

from servitwin.domain.error import Fault, InvalidInputError, NotFoundError
from servitwin.domain.party import Actor
from servitwin.domain.reason import Reason, check_reason
from servitwin.usecases.audit import Audit
from servitwin.usecases.ports import Records


class GiveReason:
    """Keeps what people say about why a machine stood."""

    def __init__(self, records: Records, audit: Audit) -> None:
        self._records = records
        self._audit = audit

    def give(self, reason: Reason, actor: Actor) -> Reason:
        """Keep a reason; one that replaces another corrects it, and both are kept.

        Raises:
            InvalidInputError: ``reason:...``.
            NotFoundError: ``reason:unknown`` where what it replaces is not there.
        """
        fault = check_reason(reason)
        if fault is not None:
            raise InvalidInputError(fault)
        if reason.replaces:
            earlier = self._records.reasons([reason.twin], -(2**62), 2**62)
            if reason.replaces not in {r.id for r in earlier}:
                raise NotFoundError(
                    Fault("reason:unknown", f"{reason.twin} has no reason {reason.replaces[:80]!r}", where="replaces")
                )
        self._records.add_reason(reason)
        detail = {"cause": reason.cause, "party": reason.party, "reason": reason.id, "replaces": reason.replaces}
        self._audit.note(actor, "reason.give", reason.twin, detail)
        return reason
