"""What is kept: a backup of a running node answers the same; a full disk says so and loses nothing."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Node
from tests.stories.waiting import Api, plant, wait_for

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("nodes")]
T0 = 1_790_000_000_000_000_000


def send(api: Api, first: int, number: int) -> None:
    lines = "\n".join(
        json.dumps({"time": T0 + i, "values": {"count": i}, "session": "keep", "seq": i})
        for i in range(first, first + number)
    )
    headers = {"Content-Type": "application/x-ndjson"}
    api.ask("POST", "/twins/press-1/observations", 202, content=lines, headers=headers)


def command(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "servitwin.bootstrap", *arguments], capture_output=True, text=True, timeout=200,
        env=dict(os.environ),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_backup_of_a_running_node_gives_the_same_answers(
    node_factory: Callable[..., Node], tmp_path: Path
) -> None:  # fmt: skip
    node = node_factory()
    api = plant(node)
    send(api, 0, 500)
    wait_for(node, "500 values", 60, lambda: len(api.values("press-1", "count", **{"from": T0})) == 500)

    def committed() -> bool:
        cut = api.get("/cut")
        return bool(cut["committed"] == cut["received"])

    wait_for(node, "all of it committed", 60, committed)
    asked = {"from": T0, "to": T0 + 500}
    path = "/twins/press-1/signals/count/observations"
    aggregates = {**asked, "every": "100ns", "aggregate": "mean,min,max,count"}
    before = api.values("press-1", "count", **asked), api.http.get(path, params=aggregates).json().get("buckets")
    running = threading.Event()

    def load() -> None:
        first = 500
        while not running.is_set():
            send(api, first, 20)
            first += 20

    loader = threading.Thread(target=load, daemon=True)
    loader.start()
    try:
        command("backup", str(node.data), str(tmp_path / "copy.tar"))
    finally:
        running.set()
        loader.join(60)
    assert node.stop() == 0, node.logs()
    assert (tmp_path / "copy.tar").stat().st_mode & 0o077 == 0, "others can read the backup"
    command("restore", str(tmp_path / "copy.tar"), str(tmp_path / "restored"))
    restored = node_factory(data=tmp_path / "restored")
    again = Api.of(restored)
    assert again.values("press-1", "count", **asked) == before[0]
    assert again.http.get(path, params=aggregates).json().get("buckets") == before[1]
    assert [t["id"] for t in again.get("/twins")["items"]] == ["press-1", "press-2"]
    send(again, 10_000, 5)
    wait_for(
        restored, "the restored node goes on", 60,
        lambda: len(again.values("press-1", "count", **{"from": T0 + 10_000})) == 5,
    )  # fmt: skip


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", place], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a small disk cannot be mounted here: needs the right to mount")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_says_so_acknowledges_nothing_more_and_loses_nothing(
    node_factory: Callable[..., Node], small_disk: Path
) -> None:  # fmt: skip
    node = node_factory(data=small_disk / "data")
    api = plant(node)
    send(api, 0, 100)
    wait_for(node, "100 values", 60, lambda: len(api.values("press-1", "count", **{"from": T0})) == 100)
    room = os.statvfs(small_disk)
    filler = small_disk / "filler"
    filler.write_bytes(bytes(room.f_bavail * room.f_frsize - 8 * 2**20))  # 3 % are left: below the limit of 5 %
    wait_for(
        node, "ingest says that the disk is full", 60, lambda: api.get("/health")["ingest"]["refused"] == "disk:full"
    )
    send(api, 100, 50)  # the bus still has room, and keeps them
    held = api.get("/cut")["committed"]["1"]
    with contextlib.suppress(OSError), filler.open("ab", buffering=0) as file:
        while file.write(bytes(2**16)):
            pass
    payload = {"time": T0 + 900, "values": {"mode": "x" * 8000}, "session": "full", "seq": 1}
    accepted = 0
    for i in range(2000):  # what the bus had allocated already may still take a few
        answer = api.http.post("/twins/press-1/observations", json={**payload, "time": T0 + 900 + i, "seq": i})
        if answer.status_code != 202:
            break
        accepted += 1
    assert answer.status_code == 503, f"a full disk: {answer.status_code} {answer.text}\n{node.logs()}"
    assert api.get("/cut")["committed"]["1"] == held, "something was acknowledged to the stream while the disk was full"
    filler.unlink()
    wait_for(node, "room again", 60, lambda: api.get("/health")["ingest"]["refused"] == "")
    wait_for(node, "150 values", 90, lambda: len(api.values("press-1", "count", **{"from": T0})) == 150)
    wait_for(
        node, f"the {accepted} accepted ones", 90,
        lambda: len(api.values("press-1", "mode", **{"from": T0})) == accepted,
    )  # fmt: skip
    assert [int(v) for _, v in api.values("press-1", "count", **{"from": T0})] == list(range(150))
