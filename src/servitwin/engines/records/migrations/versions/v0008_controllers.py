"""Controllers of machines, and their checks."""

from __future__ import annotations

from alembic import op

from servitwin.engines.records import controller_tables as t

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the tables."""
    for table in (t.controllers, t.controller_checks):
        table.create(op.get_bind())
