"""The files that the guides show are files that the program takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from servitwin.bootstrap.prepare import check_connection
from servitwin.usecases.check_files import check

GUIDES = Path(__file__).resolve().parents[3] / "docs" / "guides"


def shown(guide: str) -> str:
    """The first file of a guide."""
    found = re.search(r"```yaml\n(.*?)```", (GUIDES / guide).read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found.group(1)


def test_the_type_and_the_plant_of_the_guides_have_no_fault(tmp_path: Path) -> None:
    machine_type = shown("machine-types.md")
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "spindle.pdf").write_bytes(b"%PDF-1.7")
    (tmp_path / "mill-500-2.yaml").write_text(machine_type)
    (tmp_path / "mill-500-1.yaml").write_text(machine_type.replace("version: 2", "version: 1"))
    (tmp_path / "plant.yaml").write_text(shown("plant.md"))
    assert check([tmp_path], check_connection=check_connection) == []


@pytest.mark.parametrize(
    "slips",
    [
        {"unit: Cel": 'unit: "°C"', "signal: feed_override": "signal: feed_overide"},
        {"> 80 Cel": "> 300 Cel"},
        {"< 60 Cel": "< 60 bar"},
    ],
)
def test_the_faults_that_the_guide_shows_are_told_as_it_shows_them(tmp_path: Path, slips: dict[str, str]) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "spindle.pdf").write_bytes(b"%PDF-1.7")
    file = tmp_path / "mill-500.yaml"
    text = shown("machine-types.md")
    for right, wrong in slips.items():
        assert right in text
        text = text.replace(right, wrong)
    file.write_text(text)
    told = {f"{f.line}:{f.column}: {f.message} ({f.hint}) [{f.code}]" for f in check([file])}
    guide = (GUIDES / "machine-types.md").read_text("utf-8")
    # Each slip makes more faults than it is shown for: a missing unit is missed wherever the signal is named.
    faults = told & set(re.findall(r"^machine-types/mill-500\.yaml:(.*)$", guide, re.MULTILINE))
    assert len(faults) == len(slips), told


def test_no_fault_is_shown_that_nobody_tells() -> None:
    guide = (GUIDES / "machine-types.md").read_text("utf-8")
    assert len(re.findall(r"^machine-types/mill-500\.yaml:", guide, re.MULTILINE)) == 4
