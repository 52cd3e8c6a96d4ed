"""Offers that were taken back or declined."""

from __future__ import annotations

from alembic import op

from servitwin.engines.records import contract_tables as t

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create the table."""
    t.withdrawals.create(op.get_bind())
