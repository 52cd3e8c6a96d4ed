"""Bringing a database to this version's tables, forward only."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from servitwin.domain.error import ConflictError, Fault
from servitwin.engines.records.database import Database, open_engine


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    return config


def migrate(url: str) -> None:
    """Bring the database at that URL to the newest tables; one that is there already is left as it is.

    All steps are one transaction: a database is migrated, or it is as it was.

    Raises:
        ConflictError: ``records:too-new`` if a newer servitwin wrote it.
        UnavailableError: ``records:not-reachable``.
    """
    config = _config()
    database = Database(open_engine(url))
    try:
        with database.write() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
            known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
            if current is not None and current not in known:
                raise ConflictError(
                    Fault(
                        "records:too-new",
                        f"The records are of version {current}, which this servitwin does not know",
                        "Start the newer servitwin that wrote them, or restore a backup of before",
                    )
                )
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        database.engine.dispose()
