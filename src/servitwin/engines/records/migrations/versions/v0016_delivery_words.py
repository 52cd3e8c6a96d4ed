"""What was said of deliveries."""

from __future__ import annotations

from alembic import op

from servitwin.engines.records import delivery_tables as t

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Create the tables."""
    for table in (t.delivery_words, t.delivery_refs):
        table.create(op.get_bind())
