"""Levels: digital model, digital shadow, digital twin, derived from the flow that was seen.

Kritzinger et al. (2018), "Digital Twin in manufacturing: A categorical literature review and classification": a model
has no automatic flow, a shadow has automatic flow from the machine in, a twin has automatic flow both ways. Here flow
out is proven by its effect alone: a program's command, acknowledged, and then seen in a named signal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from servitwin.domain.command import Command

Level = Literal["model", "shadow", "twin"]
TWIN = ""  # subject of the twin as a whole

_BROKEN = ("timed_out", "without_effect")


class Derived(msgspec.Struct, frozen=True):
    """The level of a subject and why; ``evidence`` holds ids and times (ns UTC) that prove it."""

    level: Level
    why: str
    evidence: dict[str, str | int]


def signal_subject(name: str) -> str:
    """Subject of a signal's level."""
    return f"signal:{name}"


def command_subject(name: str) -> str:
    """Subject of a command's level."""
    return f"command:{name}"


def derive(
    flows: Mapping[str, int], commands: Iterable[Command], declared: Iterable[str], now: int, window: int
) -> dict[str, Derived]:
    """Levels of a twin, its signals and its commands.

    Args:
        flows: signals that the machine reported by itself -> time of the latest observation (ns UTC).
        commands: the twin's commands of the window, in any order; older ones are not looked at.
        declared: names of the commands its type knows, which get a level even if nobody sent them.
        now: ns UTC.
        window: ns; what lies further back proves nothing any more.
    """
    since = now - window
    fresh = {name: time for name, time in flows.items() if time > since}
    recent = sorted((c for c in commands if c.issued > since), key=lambda c: (c.issued, c.id))
    proofs: dict[str, Command] = {}
    result: dict[str, Derived] = {}
    names = {*declared, *(c.name for c in recent)}
    for name in sorted(names):
        proof, found = _command_level([c for c in recent if c.name == name], bool(fresh))
        result[command_subject(name)] = found
        if proof is not None:
            proofs.setdefault(proof.effect_signal, proof)
    for name, time in flows.items():
        if name not in fresh:
            result[signal_subject(name)] = Derived("model", "not reported within the window", {"last": time})
        elif name in proofs:
            why = "reported by itself, and shows the effect of a program's command"
            result[signal_subject(name)] = Derived("twin", why, {"last": time, **_evidence(proofs[name])})
        else:
            result[signal_subject(name)] = Derived("shadow", "reported by itself", {"last": time})
    result[TWIN] = _twin_level(fresh, flows, result, proofs)
    return result


def _command_level(sent: list[Command], flow_in: bool) -> tuple[Command | None, Derived]:
    """Level of one command, with the command that proves it to be a twin's; ``sent`` in order of issue."""
    if not flow_in:
        return None, Derived("model", "the machine reports nothing by itself", {})
    by_programs = [c for c in sent if c.issuer == "program"]
    proof = next((c for c in reversed(by_programs) if _proves(c)), None)
    if proof is not None:
        broken = next((c for c in reversed(by_programs) if c.issued > proof.issued and c.status in _BROKEN), None)
        if broken is None:
            why = f"sent by a program, acknowledged, and seen in {proof.effect_signal}"
            return proof, Derived("twin", why, _evidence(proof))
        why = "worked before, but the latest command of a program was " + _outcome(broken)
        return None, Derived("shadow", why, {"command": broken.id, "issued": broken.issued})
    if by_programs:
        last = by_programs[-1]
        why = "the latest command of a program was " + _outcome(last)
        return None, Derived("shadow", why, {"command": last.id, "issued": last.issued})
    if sent:
        return None, Derived("shadow", "sent by people alone", {"command": sent[-1].id})
    return None, Derived("shadow", "not sent within the window", {})


def _twin_level(
    fresh: Mapping[str, int], flows: Mapping[str, int], found: Mapping[str, Derived], proofs: Mapping[str, Command]
) -> Derived:
    if not fresh:
        if not flows:
            return Derived("model", "nothing has been reported by itself", {})
        return Derived("model", "nothing was reported by itself within the window", {"last": max(flows.values())})
    flow: dict[str, str | int] = {"signals": len(fresh), "last": max(fresh.values())}
    if proofs:
        best = max(proofs.values(), key=lambda c: (c.effect_seen or 0, c.id))
        why = f"reports by itself, and {best.name} sent by a program was seen in {best.effect_signal}"
        return Derived("twin", why, {**flow, **_evidence(best)})
    reasons = {d.why for s, d in found.items() if s.startswith("command:") and "within the window" not in d.why}
    tried = sorted(r for r in reasons if r)
    why = "reports by itself; no effect of a program's command was seen within the window"
    return Derived("shadow", f"{why} ({'; '.join(tried)})" if tried else why, flow)


def _proves(c: Command) -> bool:
    """Whether a command proves flow out: acknowledged, then its effect seen as a change in a named signal."""
    return (
        c.status == "effective"
        and bool(c.effect_signal)
        and c.held_before is False
        and c.answered is not None
        and c.effect_seen is not None
        and c.effect_seen >= c.answered
    )


def _evidence(c: Command) -> dict[str, str | int]:
    return {
        "command": c.id,
        "name": c.name,
        "issued_by": c.issued_by,
        "issued": c.issued,
        "acknowledged": c.answered or 0,
        "effect_seen": c.effect_seen or 0,
        "effect_signal": c.effect_signal,
    }


def _outcome(c: Command) -> str:
    return {
        "timed_out": "not acknowledged",
        "without_effect": "acknowledged without effect",
        "acknowledged": "acknowledged, its effect not seen",
        "sent": "not acknowledged yet",
        "rejected": "rejected by the machine",
        "refused": "refused",
        "effective": "effective without a change that proves it",
    }[c.status]
