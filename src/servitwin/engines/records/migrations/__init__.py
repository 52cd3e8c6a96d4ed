"""Migrations of the records (Alembic), shipped with the package."""
