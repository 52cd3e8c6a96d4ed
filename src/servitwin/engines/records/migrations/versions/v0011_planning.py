"""Registers, jobs of planners and trainers, and what trainers leave behind."""

from __future__ import annotations

from alembic import op

from servitwin.engines.records import planning_tables as t

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create the tables."""
    bind = op.get_bind()
    t.register_entries.create(bind)
    t.jobs.create(bind)
    t.artefacts.create(bind)
