"""From MTConnect EXECUTION to canonical states. ``docs/guides/real-data.md`` says why each word goes where it goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from servitwin.domain.machine_type import SignalTest, StateMapping, StateRule
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time import State

PRODUCING = ("ACTIVE",)
# The program is under way and cannot go on until somebody clears what stopped it.
HELD = ("INTERRUPTED", "FEED_HOLD")
# No program is under way, or it stopped where it was told to.
WAITING = (
    "READY", "STOPPED", "PROGRAM_STOPPED", "PROGRAM_COMPLETED", "OPTIONAL_STOP", "PROGRAM_OPTIONAL_STOP", "WAIT",
)  # fmt: skip


def state_mapping(signals: Sequence[SignalDefinition]) -> StateMapping | None:
    """The mapping of a type by its first EXECUTION item, or None if it has none.

    A hold is ``failed``; its cause is named only where a fault condition is active, and the party stays open.
    """
    execution = next((s.name for s in signals if s.semantic == "mtconnect:EXECUTION" and s.type == "text"), None)
    if execution is None:
        return None
    return StateMapping(rules=tuple(_rules(execution, signals)), word=execution, needs=(execution,))


def _rules(execution: str, signals: Sequence[SignalDefinition]) -> Iterator[StateRule]:
    held = SignalTest(execution, equals=HELD)
    yield StateRule((SignalTest(execution, equals=PRODUCING),), State.PRODUCING)
    for condition in (s.name for s in signals if s.type == "condition"):
        fault = SignalTest(condition, equals=("fault",))
        yield StateRule((held, fault), State.FAILED, cause=f"fault:{condition}")
    yield StateRule((held,), State.FAILED)
    yield StateRule((SignalTest(execution, equals=WAITING),), State.STANDBY)
