"""The whole tree under kill -9: it comes back, nothing is left running, and the folder is never held twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from servitwin.bootstrap.children import start_ticks
from servitwin.bootstrap.data_folder import FOLDER_VERSION, RecordedChild
from tests.conftest import Node
from tests.patience import PATIENCE

pytestmark = [pytest.mark.crash, pytest.mark.xdist_group("nodes")]


def children_of(node: Node) -> dict[str, RecordedChild]:
    listed = json.loads((node.data / "run" / "children.json").read_text())
    return {c["name"]: RecordedChild(**c) for c in listed}


def until(what: Callable[[], bool], seconds: float, why: str) -> None:
    deadline = time.monotonic() + seconds * PATIENCE
    while time.monotonic() < deadline:
        if what():
            return
        time.sleep(0.1)
    raise AssertionError(why)


def is_ready(node: Node) -> bool:
    try:
        return httpx.get(f"{node.web}/health/ready", timeout=3).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.mark.parametrize("victim", ["web", "services", "ingest", "nats-server"])
def test_a_killed_worker_comes_back_at_the_same_address(node: Node, victim: str) -> None:
    before = children_of(node)[victim]
    os.kill(before.pid, signal.SIGKILL)
    until(lambda: children_of(node).get(victim, before).pid != before.pid, 20, f"{victim} was not started again")
    until(lambda: is_ready(node), 20, f"the node was not ready again after {victim} died:\n{node.logs()}")
    assert node.process is not None and node.process.poll() is None
    assert node.stop() == 0, node.logs()


def test_after_kill_of_the_supervisor_the_next_start_finds_a_clean_house(node: Node) -> None:
    assert node.process is not None
    old = children_of(node)
    node.process.kill()
    node.process.wait()
    node.start()
    alive = [c.name for c in old.values() if start_ticks(c.pid) == c.started]
    assert alive == [], "children of the killed instance still run"
    assert is_ready(node)
    assert node.stop() == 0


def test_a_second_instance_on_the_same_folder_is_refused_with_exit_code_2(node: Node) -> None:
    command = [sys.executable, "-m", "servitwin.bootstrap", "serve", "--data", str(node.data), "--port", "0"]
    second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 2
    assert "data:in-use" in second.stderr
    assert is_ready(node), "the first instance was disturbed"


def test_a_folder_of_a_newer_version_is_refused_with_exit_code_2(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "VERSION").write_text(f"{FOLDER_VERSION + 1}\n")
    command = [sys.executable, "-m", "servitwin.bootstrap", "serve", "--data", str(data), "--port", "0"]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 2
    assert "data:newer-version" in refused.stderr


def test_ctrl_c_ends_every_process(node: Node) -> None:
    children = children_of(node)
    assert {"web", "services", "ingest", "nats-server"} <= set(children)
    assert node.stop() == 0
    assert [c.name for c in children.values() if start_ticks(c.pid) == c.started] == []
