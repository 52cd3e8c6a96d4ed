"""Usage, ledger and invoices."""

from __future__ import annotations

from alembic import op

from servitwin.engines.records import money_tables as t

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables."""
    for table in (t.usage_records, t.usage_conflicts, t.ledger_entries, t.invoice_numbers, t.invoices):
        table.create(op.get_bind())
