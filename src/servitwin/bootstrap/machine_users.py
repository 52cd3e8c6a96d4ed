"""Machines' credentials as the bus needs them: a private file that the supervisor reads without a database."""

from __future__ import annotations

from pathlib import Path

import msgspec

from servitwin.bootstrap.data_folder import write_private
from servitwin.bootstrap.mappings import mapping_configs, topics
from servitwin.usecases.ports import Records

MACHINES_FILE = Path("secrets") / "machines.json"


class MachineUser(msgspec.Struct):
    """One machine's user on the bus; the secret is known by its hash alone."""

    user: str
    secret_hash: str
    twins: list[str]
    topics: list[str] = []  # MQTT topic filters of mappings


def write_machine_users(records: Records, data: Path) -> None:
    """Bring the file up to what the records say; the supervisor notices the change within a second."""
    mappings = mapping_configs(records)
    users = [
        MachineUser(
            user,
            secret,
            twins,
            [t for twin in twins if not twin.startswith("@") for c in mappings for t in topics(c, twin)],
        )
        for user, secret, twins in records.machine_credentials()
    ]
    write_private(data / MACHINES_FILE, msgspec.json.encode(users))


def read_machine_users(data: Path) -> list[MachineUser]:
    """The users in the file; none if it has not been written yet."""
    try:
        return msgspec.json.decode((data / MACHINES_FILE).read_bytes(), type=list[MachineUser])
    except FileNotFoundError:
        return []
