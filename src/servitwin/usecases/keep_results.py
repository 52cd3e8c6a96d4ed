"""What of a service's outcome becomes more than an outcome: trace events of parts."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from servitwin.domain.instant import MINUTE
from servitwin.domain.kept_trace import KeptTrace
from servitwin.domain.twin import Twin, value_at
from servitwin.sdk.service import Outcome
from servitwin.usecases.keep_trace import RESULT, derived_traces, tell_traced
from servitwin.usecases.ports import Records

NEWS_FOR = 15 * MINUTE  # what ended longer ago is history that is filled in, and nobody is called for it


def traces_of(outcome: Outcome, twin: Twin, source: str, operator: str, now: int) -> list[KeptTrace]:
    """Trace events that the outcome of a step says; nothing is written yet.

    Args:
        outcome: of the step.
        twin: the machine.
        source: names service, machine, parameters and interval.
        operator: party that owns machines without an owner.
        now: ns UTC.
    """
    return derived_traces(outcome.results, twin.uid, lambda at: value_at(twin.owner, at) or operator, source, now)


def keep_results(
    records: Records, outcome: Outcome, twin: Twin, traces: Sequence[KeptTrace], source: str, now: int
) -> tuple[Outcome, list[tuple[str, bytes]]]:
    """Keep what the outcome of a step says beyond itself, inside the transaction that saves it.

    Returns:
        The outcome as it is saved (trace events are counted in it, not repeated), and what is to be published once the
        transaction is done. Trace events of the same ``source`` that are no longer said are replaced.
    """
    told: list[tuple[str, bytes]] = []
    added, gone = records.replace_traces(source, traces)
    if added or gone:
        fresh = [k for k in traces if k.event.time > now - NEWS_FOR]
        told += [("happened", payload) for payload in tell_traced(records, fresh, now)]
    rest = [r for r in outcome.results if RESULT not in r]
    kept = [*rest, {"traced": {"events": len(traces)}}] if len(rest) < len(outcome.results) else rest
    return msgspec.structs.replace(outcome, results=kept), told
