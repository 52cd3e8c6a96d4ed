"""Before anything else starts: migrate the records and import the plant, in a process of its own."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from servitwin.bootstrap.check_connection import check_connection
from servitwin.bootstrap.data_folder import FOLDER_VERSION
from servitwin.bootstrap.demo import add_demo_people, demo_contracts, demo_plant
from servitwin.bootstrap.demo_contracts import add_demo_contracts
from servitwin.bootstrap.demo_controllers import add_demo_controllers
from servitwin.bootstrap.demo_failures import add_demo_failures
from servitwin.bootstrap.demo_line import add_demo_line
from servitwin.bootstrap.demo_lives import add_demo_lives
from servitwin.bootstrap.demo_maintenance import add_demo_maintenance
from servitwin.bootstrap.demo_production import add_demo_production
from servitwin.bootstrap.demo_quality import add_demo_quality
from servitwin.bootstrap.demo_releases import add_demo_releases
from servitwin.bootstrap.demo_routine import add_demo_routine
from servitwin.bootstrap.demo_services import add_demo_services
from servitwin.bootstrap.machine_users import write_machine_users
from servitwin.bootstrap.own_topics import process_topics
from servitwin.bootstrap.supervisor import Connection, Prepared
from servitwin.bootstrap.worker import report_ready
from servitwin.config import Settings
from servitwin.domain.error import InvalidInputError, ServitwinError
from servitwin.domain.identity import RANDOM_BYTES, new_uid
from servitwin.domain.party import Actor
from servitwin.engines.files.folder import FileFolder
from servitwin.engines.files.party_keys import PartyKeyFolder
from servitwin.engines.records import SqlRecords, migrate
from servitwin.sdk.discovery import plugin, plugins
from servitwin.sdk.manifest import Limits
from servitwin.usecases.audit import Audit
from servitwin.usecases.check_files import collect
from servitwin.usecases.import_files import ImportFiles
from servitwin.usecases.import_plant import ImportPlant
from servitwin.usecases.kept_plants import connections, is_mapped
from servitwin.usecases.register_types import RegisterTypes

SYSTEM = Actor("servitwin", "system", "", ("administrator",))


def import_files(records: SqlRecords, paths: Sequence[str]) -> list[str]:
    """Bring types and plants of files and folders into the records; returns what changed, for people.

    Raises:
        InvalidInputError: every fault of every file; nothing was imported then.
    """
    files, faults = collect(Path(p) for p in paths)
    if faults:
        raise InvalidInputError(faults)
    audit = Audit(records, time.time_ns)
    importer = ImportFiles(
        records,
        RegisterTypes(records, audit, lambda _: None),
        ImportPlant(
            records,
            audit,
            lambda _: None,
            time.time_ns,
            lambda: new_uid(time.time_ns(), secrets.token_bytes(RANDOM_BYTES)),
        ),
        check_connection,
        time.time_ns,
    )
    done = importer.import_files(files, SYSTEM)
    parts = {"new": done.registered, "changed": done.changed, "retired": done.retired}
    return [f"{word}: {', '.join(names)}" for word, names in parts.items() if names]


def wanted_processes(records: SqlRecords, notes: list[str]) -> list[Connection]:
    """Connections of the plant, and services of partners, each needing a process; ``notes``: what is left out."""
    wanted = [
        Connection(
            c.name,
            c.connector,
            config=with_trusted_keys(records, c.config),
            memory_mb=memory_of(c.connector),
            twins=list(c.twins),
            reads=list(c.reads),
            speaks=list(own.speaks),
            hears=list(own.hears),
        )
        for c in connections(records)
        if not is_mapped(c)
        for own in (process_topics(c),)
    ]
    for service in plugins("service"):
        if not service.built_in:
            try:
                manifest = service.manifest
            except ServitwinError as e:
                notes.append(f"service {service.name} is left out: {e}")
                continue
            if manifest.kind != "evaluator":
                continue  # planners and trainers have a process for each problem (servitwin.bootstrap.solve)
            memory = manifest.limits.memory_mb
            wanted.append(Connection(f"service-{service.name}", service.name, kind="service", memory_mb=memory))
    return wanted


def with_trusted_keys(records: SqlRecords, config: Mapping[str, Any]) -> dict[str, object]:
    """A connection's configuration with the public keys of the parties that its machines trust (``trusts``)."""
    trusted = config.get("trusts")
    if not isinstance(trusted, list | tuple):
        return dict(config)
    now = time.time_ns()
    keys = [k.public_key for k in records.party_keys() if k.party in trusted and (k.revoked is None or k.revoked > now)]
    return {**config, "trusted_keys": keys}


def memory_of(connector: str) -> int:
    """MB that a connector's process may use, by its manifest; what cannot be read fails in that process alone."""
    try:
        return plugin("connector", connector).manifest.limits.memory_mb
    except ServitwinError:
        return Limits().memory_mb


def keep_before_migration(settings: Settings) -> None:
    """A copy of the records of an older version, before they are changed."""
    version = int((settings.folder / "VERSION").read_text("utf-8"))
    source = settings.folder / "records.db"
    if version < FOLDER_VERSION and source.exists():
        target = settings.folder / f"records.before-{FOLDER_VERSION}.db"
        with sqlite3.connect(source) as old, sqlite3.connect(target) as copy:
            old.backup(copy)
        target.chmod(0o600)


def run(settings: Settings) -> None:
    """Do it and tell the supervisor on the ready line which connections need a process."""
    keep_before_migration(settings)
    migrate(settings.records)
    records = SqlRecords(settings.records)
    paths = [*(demo_plant() if settings.demo else []), *settings.plant]
    notes = import_files(records, paths) if paths else []
    if settings.demo:
        notes += add_demo_people(records)
        keys = PartyKeyFolder(settings.folder / "secrets" / "party-keys")
        notes += add_demo_contracts(records, keys, demo_contracts(), time.time_ns())
        files = FileFolder(settings.folder / "files")
        notes += add_demo_controllers(records, files, demo_contracts().parents[1] / "controllers", time.time_ns())
        file = demo_contracts().parent / "maintenance.yaml"
        notes += add_demo_maintenance(records, keys, file, time.time_ns())
        notes += add_demo_releases(records, time.time_ns())
        notes += add_demo_line(records, files, demo_contracts().parent / "line-1.model.json", time.time_ns())
        notes += add_demo_production(records, demo_contracts().parent / "production", time.time_ns())
        notes += add_demo_routine(records, time.time_ns())
        notes += add_demo_services(records, time.time_ns())
        notes += add_demo_lives(records, time.time_ns())
        notes += add_demo_failures(records, files, time.time_ns())
        notes += add_demo_quality(records, time.time_ns())
    write_machine_users(records, settings.folder)
    prepared = Prepared(wanted_processes(records, notes), notes)
    records.close()
    report_ready(**msgspec.to_builtins(prepared))
