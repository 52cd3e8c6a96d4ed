"""Replays of counterexamples in the simulator."""

from __future__ import annotations

from alembic import op

from servitwin.engines.records import controller_tables as t

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the table."""
    t.controller_replays.create(op.get_bind())
