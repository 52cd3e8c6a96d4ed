"""Every settlement that is kept is final: the column that said so goes."""

from __future__ import annotations

from alembic import op
from sqlalchemy import inspect

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Drop the column where an earlier version made it; new databases never had it."""
    if "final" in {c["name"] for c in inspect(op.get_bind()).get_columns("settlements")}:
        op.drop_column("settlements", "final")
