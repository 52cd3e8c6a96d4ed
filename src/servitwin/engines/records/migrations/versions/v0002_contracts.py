"""Contracts, signatures, reasons, claims, acceptance, settlements and baselines."""

from __future__ import annotations

from alembic import op

from servitwin.engines.records import contract_tables as t

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables."""
    for table in (
        t.contracts,
        t.signatures,
        t.party_keys,
        t.reasons,
        t.exclusions,
        t.exclusion_steps,
        t.acceptances,
        t.settlements,
        t.baselines,
    ):
        table.create(op.get_bind())
