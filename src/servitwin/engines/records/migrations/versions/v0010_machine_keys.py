"""Public keys of machines."""

from __future__ import annotations

from alembic import op

from servitwin.engines.records import machine_key_tables as t

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the table."""
    t.machine_keys.create(op.get_bind())
