"""A node's web part over real records, served over real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from api_node import Node
from failure_fleet import FIRST, NOW, Fleet


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with Node(tmp_path_factory.mktemp("node")) as running:
        yield running


@pytest.fixture
def anna(node):
    """Production manager of acme, who owns the mills."""
    with closing(node.browser("anna")) as client:
        yield client


@pytest.fixture
def adam(node):
    """Administrator of acme."""
    with closing(node.browser("adam")) as client:
        yield client


@pytest.fixture
def olga(node):
    """Production manager of the other company."""
    with closing(node.browser("olga")) as client:
        yield client


@pytest.fixture
def root(node):
    """The node's own token."""
    with node.program(node.node_token) as client:
        yield client


@pytest.fixture
def fleet(tmp_path: Any) -> Iterator[Callable[..., Fleet]]:
    """Makes nodes on which machines of a set of failures have run."""
    opened: list[Node] = []

    def make(dataset: dict[str, Any], first: int = FIRST, now: int = NOW, **more: Any) -> Fleet:
        running = Node(tmp_path / f"node-{len(opened)}", now=lambda: now)
        opened.append(running)
        running.__enter__()
        return Fleet(running, dataset, first, **more)

    def folders() -> None:
        for k in range(3):
            (tmp_path / f"node-{k}").mkdir()

    folders()
    yield make
    for one in opened:
        one.__exit__()
