"""A real node for tests: the whole process tree on free ports and a folder of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from hypothesis import settings

from servitwin.bootstrap.data_folder import read_address

# A busy machine makes a run slow, not wrong: a test hangs only past its own timeout.
# HYPOTHESIS_PROFILE=thorough tries more of what has no number of its own.
settings.register_profile("servitwin", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "servitwin"))

ROOT = Path(__file__).resolve().parents[1]
_START_S = 150.0  # a quiet machine needs three seconds


def shared_data(name: str) -> Path:
    """A real data set; the test is skipped where it is not there."""
    base = Path(os.environ.get("SERVITWIN_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not (base / name).exists():
        pytest.skip(f"real data set {name} is not at {base}: set SERVITWIN_SHARED_DATA to where it is")
    return base / name


@dataclass
class Node:
    """A running servitwin. ``web``, ``mqtt`` and ``nats`` are URLs; ``token`` is the node's own administrator."""

    data: Path
    web: str = ""
    mqtt: str = ""
    nats: str = ""
    token: str = ""
    arguments: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it and wait for its first line."""
        command = [sys.executable, "-m", "servitwin.bootstrap", "serve", "--json", "--data", str(self.data)]
        command += ["--port", "0", "--mqtt-port", "0", *self.arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        timer = threading.Timer(_START_S, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if not line:
            assert self.process.stderr is not None
            raise AssertionError(f"the node did not start: {self.process.stderr.read()}\n{self.logs()}")
        said = json.loads(line)
        self.web, self.mqtt, self.nats = said["web"], said["mqtt"], said["nats"]
        self.token = read_address(self.data).token

    def client(self) -> httpx.Client:
        """HTTP client with the node's own token."""
        return httpx.Client(base_url=self.web, headers={"Authorization": f"Bearer {self.token}"}, timeout=30)

    def mqtt_port(self) -> int:
        """Port of the MQTT gateway."""
        return int(self.mqtt.rsplit(":", 1)[1])

    def stop(self, patience_s: float = 90.0) -> int:
        """Ctrl-C, and the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(patience_s)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            for stream in (self.process.stdout, self.process.stderr):
                if stream is not None:
                    stream.close()

    @contextmanager
    def running(self) -> Iterator[Node]:
        """Started, and stopped at the end, which it must do in order."""
        self.start()
        yield self
        assert self.stop() == 0, self.logs()

    def logs(self) -> str:
        """The ends of its workers' logs, for a failed test's message."""
        ends = []
        for path in sorted((self.data / "logs").glob("*.log")):
            ends.append(f"-- {path.name}\n{path.read_text('utf-8', 'replace')[-1500:]}")
        return "\n".join(ends)


@pytest.fixture
def node_factory(tmp_path: Path) -> Iterator[Callable[..., Node]]:
    """Makes nodes that are stopped at the end of the test."""
    made: list[Node] = []

    def make(*arguments: str, data: Path | None = None) -> Node:
        node = Node(data or tmp_path / f"node{len(made)}", arguments=list(arguments))
        node.start()
        made.append(node)
        return node

    yield make
    for node in made:
        if node.process is not None and node.process.poll() is None:
            node.stop()


@pytest.fixture
def node(node_factory: Callable[..., Node]) -> Node:
    """An empty node."""
    return node_factory()
