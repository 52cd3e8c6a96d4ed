"""Requirements of single twins, cases, and where monitors stand."""

from __future__ import annotations

from alembic import op

from servitwin.engines.records import case_tables as t

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the tables."""
    for table in (t.twin_requirements, t.cases, t.case_steps, t.monitor_snapshots):
        table.create(op.get_bind())
