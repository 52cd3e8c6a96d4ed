"""Give a reason for a stop, or correct one that was given."""

from __future__ import annotations

from collections.abc import Sequence

from servitwin.domain.error import Fault, InvalidInputError, NotFoundError
from servitwin.domain.party import Actor
from servitwin.domain.reason import Reason, ReasonChoice, check_reason
from servitwin.domain.reason_tree import leaves
from servitwin.formats.structure import did_you_mean
from servitwin.usecases.audit import Audit
from servitwin.usecases.ports import Records


class GiveReason:
    """Keeps what people say about why a machine stood."""

    def __init__(self, records: Records, audit: Audit) -> None:
        self._records = records
        self._audit = audit

    def give(self, reason: Reason, tree: Sequence[ReasonChoice], actor: Actor) -> Reason:
        """Keep a reason of the machine type's ``tree``; one that replaces another corrects it, and both are kept.

        Raises:
            InvalidInputError: ``reason:...``.
            NotFoundError: ``reason:unknown`` where what it replaces is not there.
        """
        fault = check_reason(reason)
        if fault is not None:
            raise InvalidInputError(fault)
        known = [choice.code for choice in leaves(tree)]
        if reason.cause not in known:
            hint = did_you_mean(reason.cause, known) or f"One of {', '.join(known)}"
            message = f"{reason.twin} has no reason {reason.cause[:80]!r}"
            raise InvalidInputError(Fault("reason:cause-unknown", message, hint, "cause"))
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
