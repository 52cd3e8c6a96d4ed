"""Work orders."""

from __future__ import annotations

from alembic import op

from servitwin.engines.records import contract_tables as t

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create their table."""
    t.work_orders.create(op.get_bind())
