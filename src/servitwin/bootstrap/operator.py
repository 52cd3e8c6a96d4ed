"""Who operates this node."""

from __future__ import annotations

from servitwin.engines.records import SqlRecords


def operator_of(records: SqlRecords) -> str:
    """The party that operates this node: setting ``operator``, else the only manufacturer or orchestrator."""
    named = records.setting("operator")
    if named:
        return named
    makers = [p.id for p in records.parties() if p.kind in ("manufacturer", "orchestrator")]
    return makers[0] if len(makers) == 1 else ""
