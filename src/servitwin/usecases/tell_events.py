"""What happened, told to machines and programs over MQTT: each event to who may hear of its twin or its party.

Topics are ``servitwin/{twin}/events/{kind}`` and ``servitwin/@{party}/events/{kind}``; payloads are the events of the
API's event stream as JSON. They are told once and not kept: who was away asks the API for what came after the last id
that it knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from servitwin.domain.instant import format_instant
from servitwin.usecases.registry import Registry

PARTY_KINDS = frozenset({"job", "plan"})  # kinds of events whose subject is a party
_KIND = re.compile(r"[a-z][a-z0-9-]*\Z")
_LEVEL = re.compile(r"[A-Za-z0-9_-]+\Z")


class TellEvents:
    """Passes events on; ``publish`` takes a bus subject and a payload."""

    def __init__(self, registry: Registry, publish: Callable[[str, bytes], None]) -> None:
        self._registry = registry
        self._publish = publish

    def heard(self, payload: bytes) -> None:
        """An event as the node tells it inside; one that is nobody's topic is not passed on."""
        event = msgspec.json.decode(payload, type=dict[str, Any])
        kind, subject = str(event["kind"]), str(event["subject"])
        if not _KIND.match(kind):
            return
        if kind in PARTY_KINDS:
            whose = f"@{subject}" if _LEVEL.match(subject) else ""
        else:
            twin = self._registry.by_uid(subject) or self._registry.by_id(subject)
            whose = "" if twin is None else twin.id
            event["subject"] = whose
        if whose:
            told = {**event, "at": format_instant(event["at"])}
            self._publish(f"servitwin.{whose}.events.{kind}", msgspec.json.encode(told))
