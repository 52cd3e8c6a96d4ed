"""The demo: its plant, and people to sign in as. Demo accounts exist only where `--demo` asks for them."""

from __future__ import annotations

from pathlib import Path

import argon2

import servitwin
from servitwin.domain.error import Fault, NotFoundError
from servitwin.domain.instant import parse_instant
from servitwin.domain.party import Account, Grant, Role
from servitwin.domain.twin import Dated
from servitwin.usecases.ports import Records

DEMO_PASSWORD = "demo"  # noqa: S105 - known to every visitor on purpose
_PEOPLE: tuple[tuple[str, str, str, tuple[Role, ...]], ...] = (
    ("hanna", "Hanna Salo, head of service", "aurora", ("service_manager", "administrator")),
    ("timo", "Timo Aalto, service technician", "aurora", ("technician",)),
    ("ritva", "Ritva Koski, R&D engineer", "aurora", ("engineer",)),
    ("petra", "Petra Saari, procurement", "kivi", ("procurement",)),
    ("paula", "Paula Niemi, production manager", "kivi", ("production_manager",)),
    ("otto", "Otto Laine, operator", "kivi", ("operator",)),
    ("mikko", "Mikko Lehto, maintenance", "kivi", ("maintenance",)),
    ("laura", "Laura Virta, analyst", "lumo", ("analyst",)),
)

# The maker's technicians see the machines that they mend: the customer has granted it with the service contract.
_SERVICE_GRANT = Grant(
    "demo-service", "kivi", "aurora", "hall-1", "read", Dated("aurora", parse_instant("2024-03-01T00:00:00Z")),
    purpose="service contract",
)  # fmt: skip


def demo_plant() -> list[str]:
    """Files of the demo plant.

    Raises:
        NotFoundError: ``demo:not-found`` where the examples have not been installed.
    """
    folder = Path(servitwin.__file__).resolve().parents[2] / "examples" / "demo"
    if not folder.is_dir():
        raise NotFoundError(
            Fault("demo:not-found", f"{folder} is not there", "Run the demo from a clone of the repository: make demo")
        )
    return [str(folder / "machine-types"), str(folder / "plant.yaml"), str(folder / "robots.yaml")]


def demo_contracts() -> Path:
    """Folder of the demo's contract files."""
    return Path(demo_plant()[0]).parent / "contracts"


def add_demo_people(records: Records) -> list[str]:
    """Create the demo's accounts where they are missing; returns what to tell the visitor."""
    hasher = argon2.PasswordHasher()
    present = {a.id for a in records.accounts()}
    hashed = None
    for id, name, party, roles in _PEOPLE:
        if id not in present:
            hashed = hashed or hasher.hash(DEMO_PASSWORD)
            records.save_account(Account(id, name, party, roles), hashed)
    if records.setting("operator") is None:
        records.set_setting("operator", "aurora")
    if not any(g.id == _SERVICE_GRANT.id for g in records.grants(_SERVICE_GRANT.period.start)):
        records.save_grant(_SERVICE_GRANT)
    named = ", ".join(f"{id} ({name.split(', ')[1]})" for id, name, _, _ in _PEOPLE)
    return [f"demo accounts, password {DEMO_PASSWORD!r}: {named}"]
