"""Statements on their way into the evidence log."""

from __future__ import annotations

from alembic import op

from servitwin.engines.records import statement_tables as t

revision = "0006"
down_revision = "0004"


def upgrade() -> None:
    """Create the table."""
    t.statements.create(op.get_bind())
