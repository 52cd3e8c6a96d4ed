"""Traced objects are found by their id alone, whatever party tells of them."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make the index; a folder made new has it already."""
    op.create_index("ix_trace_objects_id", "trace_objects", ["id", "party"], if_not_exists=True)
