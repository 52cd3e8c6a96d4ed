"""The verifier needs nothing of servitwin: its folder, copied elsewhere, runs with Python and ``cryptography``."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import cryptography
import pytest

import servitwin.proof.verifier
from tests.unit.verifier.scene import MAKER, PLANT, Scene

FOLDER = Path(servitwin.proof.verifier.__file__).parent


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The folder copied, a proof beside it, and a site with ``cryptography`` (and what it needs) alone."""
    shutil.copytree(FOLDER, tmp_path / "verifier", ignore=shutil.ignore_patterns("__pycache__"))
    site = Path(cryptography.__file__).parents[1]
    (tmp_path / "site").mkdir()
    for name in ("cryptography", "cffi", "pycparser"):
        if (site / name).exists():
            (tmp_path / "site" / name).symlink_to(site / name)
    for binary in site.glob("_cffi_backend*"):
        (tmp_path / "site" / binary.name).symlink_to(binary)
    scene = Scene()
    (tmp_path / "a.proof").write_bytes(scene.build())
    scene.log.write_entries(tmp_path / "copy")
    (tmp_path / "keys.json").write_text(json.dumps([MAKER.row(), PLANT.row()]))
    (tmp_path / "head.json").write_text(json.dumps(scene.log.head(5, 0)))
    return tmp_path


def run(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = [str(place), str(place / "site")]
    start = f"import sys, runpy; sys.path[:0] = {paths!r}; runpy.run_module('verifier', run_name='__main__')"
    code = [sys.executable, "-I", "-S", "-c", start, *arguments]
    return subprocess.run(code, cwd=place, capture_output=True, text=True)


def test_the_copied_folder_verifies(place: Path) -> None:
    found = run(place, "a.proof", "--keys", "keys.json", "--head", "head.json", "--witness", "copy")
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.startswith("PROVEN: Mill 1")
    assert "you hold a copy of" in found.stdout
    alone = run(place, "a.proof")
    assert alone.returncode == 0 and alone.stdout.startswith("CONSISTENT IN ITSELF")


def test_exit_codes(place: Path) -> None:
    whole = (place / "a.proof").read_bytes()
    (place / "b.proof").write_bytes(whole.replace(b"M-77", b"M-78"))
    found = run(place, "b.proof", "--json")
    assert found.returncode == 1 and json.loads(found.stdout)["code"] == "proof:seal-broken"
    (place / "bad.json").write_text("{")
    wrong = (["nowhere.proof"], ["a.proof", "--keys", "bad.json"], ["a.proof", "--witness", "nowhere"], [], ["--what"])
    assert [run(place, *arguments).returncode for arguments in wrong] == [2] * len(wrong)


def test_it_imports_the_standard_library_and_cryptography_alone() -> None:
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for name in names:
                top = name.partition(".")[0]
                assert top == "cryptography" or top in sys.stdlib_module_names, (path.name, name)
