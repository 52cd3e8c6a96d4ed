"""A node's web part over real records, served over real HTTP."""

from __future__ import annotations

from contextlib import closing

import pytest
from api_node import Node


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
