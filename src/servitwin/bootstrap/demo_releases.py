"""The demo's releases of the mill's software: one that passes the gate, and one whose door interlock has a defect."""

from __future__ import annotations

from servitwin.domain.release import Release, Setting
from servitwin.sdk.release_statement import package_digest
from servitwin.usecases.ports import Records

_TYPE = "mill-500"
_RELEASES: tuple[tuple[str, str, str, dict[str, Setting]], ...] = (
    (
        "4.2.0-rc1",
        "Quicker release of the door (delivered with a defect)",
        "mill-door@1",
        {"set-feed": {"percent": 110.0}},
    ),
    ("4.2.0", "Quicker release of the door, mended; feed 10 % higher", "mill-door@2", {"set-feed": {"percent": 110.0}}),
)


def add_demo_releases(records: Records, now: int) -> list[str]:
    """Bring both in, once; returns what to tell the visitor.

    Their gates are asked for on the page: they take minutes of a processor, which a visitor's first look needs.
    """
    machine_type = records.machine_type(_TYPE)
    if records.releases() or machine_type is None or not any(c.kind == "update" for c in machine_type.commands):
        return []
    told = []
    for n, (version, title, controller, settings) in enumerate(_RELEASES):
        package = package_digest(f"{_TYPE} {version}".encode())
        release = Release(
            _TYPE, machine_type.version, version, title, package, controller, settings, machine_type.manufacturer,
            now + n, "ritva",
        )  # fmt: skip
        records.save_release(release)
        told.append(release.id)
    return [f"demo releases: {', '.join(told)} (run their gates on the page Update gate)"]
