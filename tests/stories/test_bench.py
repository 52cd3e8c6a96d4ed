"""`servitwin bench` on this machine: small, so that only what it says is judged, not how fast the machine is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("nodes")]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "servitwin.bootstrap", "bench", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=150)


def test_every_case_is_measured_and_nothing_is_missing_or_left_behind(tmp_path: Path) -> None:
    done = bench("--messages", "2000", "--machines", "8", "--seconds", "3", "--folder", str(tmp_path), "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    results = {r["case"]: r for r in said["results"]}
    assert list(results) == ["mqtt", "nats", "batch", "events", "query"]
    assert [results[c]["detail"]["values"] for c in ("mqtt", "nats", "batch")] == [
        16_000,
        16_000,
        50 // 4 * 4 * 800 + 3200,
    ]
    assert all(results[c]["detail"]["missing"] == 0 for c in ("mqtt", "nats", "batch"))
    assert 0 < results["events"]["detail"]["median_ms"] <= results["events"]["value"]
    assert all(r["value"] > 0 for r in results.values())
    assert list(tmp_path.iterdir()) == []


def test_what_it_cannot_do_is_wrong_use(tmp_path: Path) -> None:
    for arguments in (["--only", "everything"], ["--folder", str(tmp_path / "none")], ["--messages", "1e9"]):
        done = bench(*arguments)
        assert done.returncode == 2, done.stdout
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
