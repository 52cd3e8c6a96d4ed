"""Releases and their gates."""

from __future__ import annotations

from alembic import op

from servitwin.engines.records import release_tables as t

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Create the tables."""
    t.releases.create(op.get_bind())
    t.release_gates.create(op.get_bind())
