"""Migrations make the tables of the code, keep what is there, and refuse what they do not know."""

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from servitwin.domain.error import ConflictError, UnavailableError
from servitwin.engines.records import SqlRecords, migrate
from servitwin.engines.records.database import open_engine
from servitwin.engines.records.tables import metadata


def test_migration_gives_exactly_the_tables_of_the_code(url):
    migrate(url)
    engine = open_engine(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_migrating_twice_keeps_what_is_there_and_a_newer_database_is_refused(url):
    migrate(url)
    first = SqlRecords(url)
    first.set_setting("a", "b")
    first.close()
    migrate(url)
    again = SqlRecords(url)
    assert again.setting("a") == "b"
    again.close()
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'tomorrow'"))
    engine.dispose()
    with pytest.raises(ConflictError) as caught:
        migrate(url)
    assert caught.value.fault.code == "records:too-new"


def test_a_database_that_was_not_migrated_says_so(tmp_path):
    with pytest.raises(UnavailableError) as caught:
        SqlRecords(f"sqlite:///{tmp_path}/empty.db").twins()
    assert "migrated" in caught.value.fault.hint


def test_a_database_of_the_third_version_keeps_its_settlements(url):
    migrate(url)
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE settlements ADD COLUMN final BOOLEAN NOT NULL DEFAULT TRUE"))
        for later in (
            "work_orders",
            "statements",
            "twin_requirements",
            "cases",
            "case_steps",
            "monitor_snapshots",
            "controllers",
            "controller_checks",
            "controller_replays",
            "machine_keys",
            "register_entries",
            "jobs",
            "artefacts",
            "withdrawals",
            "trace_events",
            "trace_uses",
            "trace_objects",
            "releases",
            "release_gates",
            "delivery_words",
            "delivery_refs",
        ):
            connection.execute(sa.text(f"DROP TABLE {later}"))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0003'"))
    engine.dispose()
    before = SqlRecords(url)
    before.add_settlement("crane-98", "2026-03", 1, "sha256:a", 5, b"{}")
    before.close()
    migrate(url)
    after = SqlRecords(url)
    assert after.settlement("crane-98", "2026-03", 1) == b"{}"
    after.close()
    engine = open_engine(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()
