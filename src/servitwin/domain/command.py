"""Commands to machines: requested, sent, acknowledged, and their effect observed."""

from __future__ import annotations

from typing import Literal

import msgspec

CommandStatus = Literal["refused", "sent", "acknowledged", "rejected", "timed_out", "effective", "without_effect"]
Issuer = Literal["person", "program"]


class Command(msgspec.Struct, frozen=True, omit_defaults=True):
    """One command with its whole life; each status has its time (ns UTC).

    ``rejected`` is the machine's own refusal; ``refused`` is ours, with ``reason`` as a fault code and text.
    ``key`` is the caller's idempotency key: the same (twin, key) is one command.
    ``held_before``: whether the test of the effect held already when it was sent; None: not known. Only a change
    from False is evidence of an effect.
    """

    id: str
    twin: str  # uid
    name: str
    parameters: dict[str, float | str | bool]
    issuer: Issuer
    issued_by: str
    issued: int
    status: CommandStatus
    key: str = ""
    reason: str = ""
    reason_text: str = ""
    sent: int | None = None
    answered: int | None = None
    effect_seen: int | None = None
    effect_signal: str = ""
    expires: int | None = None
    held_before: bool | None = None
