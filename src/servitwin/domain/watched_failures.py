"""How failures of a machine's components are watched: which signals tell of errors, renewals and failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from servitwin.domain.day_events import EventOf
from servitwin.domain.error import Fault


class Watched(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of the service ``failure_watch`` on one machine.

    Attributes:
        means: name of a signal in the model: signal of the twin whose daily mean is looked at.
        errors, renewed, failed: name of an error or component: when the twin says that it happened.
        facts: numbers of the machine, such as its age.
    """

    means: dict[str, str] = {}
    errors: dict[str, EventOf] = {}
    renewed: dict[str, EventOf] = {}
    failed: dict[str, EventOf] = {}
    facts: dict[str, float] = {}

    @property
    def events(self) -> dict[str, EventOf]:
        """All events by their key."""
        kinds = (("error", self.errors), ("renewed", self.renewed), ("failed", self.failed))
        return {f"{kind}:{name}": event for kind, events in kinds for name, event in events.items()}

    @property
    def components(self) -> list[str]:
        """Components whose failures or renewals are told, by name."""
        return sorted({*self.renewed, *self.failed})

    @property
    def names(self) -> tuple[tuple[str, ...], ...]:
        """What a model learnt from this machine would look at; machines with the same names can teach together."""
        kinds: tuple[Mapping[str, Any], ...] = (self.means, self.errors, self.renewed, self.failed, self.facts)
        return tuple(tuple(sorted(kind)) for kind in kinds)


def watched_faults(parameters: Mapping[str, Any]) -> Sequence[Fault]:
    """All faults of the parameters."""
    try:
        wanted = msgspec.convert(dict(parameters), Watched)
    except msgspec.ValidationError as e:
        hint = "Give means, errors, renewed, failed and facts; README.md of failure_watch tells their form"
        return [Fault("failure-watch:parameters", str(e), hint, "parameters")]
    if not wanted.means and not wanted.errors:
        hint = "Name signals under means, or events under errors"
        return [Fault("failure-watch:nothing-named", "Nothing is named that could announce a failure", hint, "means")]
    return []
