"""Trace events, the objects that they are about, and summaries of those."""

from __future__ import annotations

from alembic import op

from servitwin.engines.records import trace_tables as t

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Create the tables."""
    for table in (t.trace_events, t.trace_uses, t.trace_objects):
        table.create(op.get_bind())
