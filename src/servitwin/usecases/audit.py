"""Audit: who saw, did and changed what. One place that says which actions there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from servitwin.domain.party import Actor
from servitwin.usecases.ports import Records

Action = Literal[
    "session.start", "session.refused", "session.end", "command.send", "command.refused", "grant.create", "grant.end",
    "token.create", "token.revoke", "account.save", "party.save", "credential.save", "twin.save", "type.register",
    "calendar.save", "plant.import",
    "gaps.declare", "quarantine.read", "quarantine.replay", "history.export", "simulator.fault", "observations.send",
    "service.assign",
    "service.withdraw", "contract.add", "contract.sign", "contract.withdraw", "reason.give", "work-order.step",
    "exclusion.claim", "exclusion.decide",
    "machine.accept", "period.settle", "invoice.issue", "ledger.book", "usage.take", "key.rotate",
    "key.revoke", "machine-key.register", "machine-key.revoke", "case.step", "requirement.save", "repair.prove",
    "release.add", "release.gate", "release.withdraw",
    "machine.change",
    "controller.add", "controller.check", "controller.replay", "register.save", "register.remove", "job.ask",
    "job.cancel", "artefact.promote", "artefact.retire", "trace.capture", "fleet.order",
    "recommendation.step", "job-sheet.step", "delivery.say", "delivery.withdraw",
]  # fmt: skip


class Audit:
    """Writes entries with the present time; details hold no secret and no password."""

    def __init__(self, records: Records, now: Callable[[], int]) -> None:
        self._records = records
        self._now = now

    def note(self, actor: Actor, action: Action, subject: str, detail: Mapping[str, Any] | None = None) -> None:
        """Keep that ``actor`` did ``action`` on ``subject``."""
        self._records.audit(actor, action, subject, self._now(), detail or {})
