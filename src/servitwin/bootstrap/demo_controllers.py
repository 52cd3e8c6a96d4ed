"""The demo's controllers: a mill's door interlock with a defect, and mended; their check waits for the web part."""

from __future__ import annotations

from pathlib import Path

import msgspec

from servitwin.domain.kept_controller import ControllerCheck, KeptController
from servitwin.usecases.check_controller import ControllerText, read
from servitwin.usecases.ports import Files, Records
from servitwin.usecases.run_controller_check import LONGEST

_FILES = ("mill-door.yaml", "mill-door-mended.yaml")
_TYPE = "mill-500"
_DEPTH, _SECONDS = 60, LONGEST


def add_demo_controllers(records: Records, files: Files, folder: Path, now: int) -> list[str]:
    """Keep both versions and ask for the check that compares them, once; returns what to tell the visitor."""
    if records.controllers():
        return []
    versions = []
    for name in _FILES:
        text = ControllerText((folder / name).read_text("utf-8"))
        controller = read(text)
        kept = KeptController(
            controller.name, controller.version, controller.title, files.put(msgspec.json.encode(text)), _TYPE, "",
            len(controller.properties), now, "demo",
        )  # fmt: skip
        records.add_controller(kept)
        versions.append(kept)
    older, newer = versions
    for n, (kept, against) in enumerate(((older, None), (newer, older.version))):
        records.save_controller_check(
            ControllerCheck(
                f"demo-{kept.name}-{kept.version}", kept.name, kept.version, _DEPTH, _SECONDS, now + n, "demo", against
            )
        )
    return [f"demo controllers: {older.reference} (it has a defect), {newer.reference} (mended)"]
