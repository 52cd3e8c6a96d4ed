import pytest
from small_node import SmallNode


@pytest.fixture
def node():
    with SmallNode() as running:
        yield running
