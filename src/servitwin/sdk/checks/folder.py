"""Checks of a plugin's folder: manifest, README, fixtures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import parse_duration
from servitwin.sdk.manifest import read_manifest

Case = TypeVar("Case")


def read_cases(folder: Path, type_: type[Case]) -> dict[str, Case]:
    """Recorded cases in ``fixtures/*.json`` by file name.

    Raises:
        InvalidInputError: ``fixture:unreadable``.
    """
    cases = {}
    for path in sorted((folder / "fixtures").glob("*.json")):
        try:
            cases[path.stem] = msgspec.json.decode(path.read_bytes(), type=type_)
        except msgspec.DecodeError as e:
            raise InvalidInputError(
                Fault("fixture:unreadable", f"{path.name}: {e}", f"It has to be a {type_.__name__}", str(path))
            ) from e
    return cases


def manifest_is_complete(folder: Path) -> None:
    """The manifest reads, is named as its folder, and says who benefits how where it is a service."""
    manifest = read_manifest(folder)
    assert manifest.name == folder.name, f"manifest says {manifest.name!r}, the folder is {folder.name!r}"
    assert manifest.summary, "summary is empty"
    parse_duration(manifest.cadence)
    parse_duration(manifest.lateness)
    if manifest.kind != "connector":
        for field in ("stage", "benefits", "value", "reads", "writes", "journey"):
            assert getattr(manifest, field), f"a service declares {field}"


def readme_tells(folder: Path) -> None:
    """README.md exists and says more than its title."""
    text = (folder / "README.md").read_text("utf-8")
    assert len(text.split()) >= 30, "README.md says too little for somebody who wants to use the plugin"


def has_recorded_fixtures(folder: Path) -> None:
    """At least one recorded case, so that every other check has something to work on."""
    assert list((folder / "fixtures").glob("*.json")), "fixtures/ holds no recorded case"


FOLDER_CHECKS: tuple[Callable[[Path], None], ...] = (manifest_is_complete, readme_tells, has_recorded_fixtures)
