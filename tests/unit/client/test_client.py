"""The client speaks HTTP as the API is written down, and says what went wrong in the words of the node."""

from __future__ import annotations

import json

import pytest
from small_node import TOKEN

from servitwin.client import Client
from servitwin.client.events import parse_events
from servitwin.domain.error import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    RefusedError,
    UnavailableError,
)
from servitwin.domain.machine_type import MachineType


@pytest.fixture
def client(node):
    with Client(node.url, TOKEN) as found:
        yield found


def test_lists_are_read_page_by_page(node, client):
    node.twins = {f"mill-{k}": {} for k in range(5)}
    assert [t.id for t in client.twins()] == [f"mill-{k}" for k in range(5)]


def test_faults_of_the_node_become_errors_of_their_kind(node, client):
    with pytest.raises(NotFoundError) as e:
        client.twin("nobody")
    assert (e.value.fault.code, e.value.fault.hint) == ("twin:unknown", "Look at GET /twins")
    assert client.find_twin("nobody") is None
    client.add_machine_type(MachineType("a", 1))
    client.add_machine_type(MachineType("a", 1))
    with pytest.raises(ConflictError):
        client.add_machine_type(MachineType("a", 1, title="other"))
    assert client.machine_type("a@1") == MachineType("a", 1)
    with Client(node.url, "wrong") as stranger, pytest.raises(RefusedError):
        stranger.cut()
    node.refuse = 1
    with pytest.raises(UnavailableError) as e:
        client.send("a", [b"{}"])
    assert e.value.fault.code == "bus:refused"


def test_no_node_and_no_api_are_told_apart(node, client):
    with Client("http://127.0.0.1:1", "") as lost, pytest.raises(UnavailableError) as e:
        lost.cut()
    assert e.value.fault.code == "node:not-reachable"
    with pytest.raises(UnavailableError) as e:
        client._api.call("GET", "/broken", dict)
    assert e.value.fault.code == "node:failed"
    with pytest.raises(UnavailableError) as e:
        client._api.call("GET", "/cut", list)
    assert e.value.fault.code == "node:not-understood"


def test_local_node_is_found_by_its_data_folder(node, tmp_path):
    with pytest.raises(UnavailableError) as e:
        Client.local(tmp_path)
    assert e.value.fault.code == "node:not-running"
    (tmp_path / "run").mkdir()
    (tmp_path / "run/address.json").write_text(json.dumps({"web": node.url, "token": TOKEN, "mqtt": "x", "pid": 1}))
    with Client.local(tmp_path) as found:
        assert found.cut().committed == {"0": -1, "1": 0}


def test_names_cannot_leave_their_place_in_the_path(node, client):
    with pytest.raises(NotFoundError) as e:
        client.twin("a/../../b?c")
    assert "a/../../b?c" in e.value.fault.message, "it arrived as one part"


def test_events_are_read_as_they_are_cut(client):
    first, second = client.events(after="5")
    assert (first.event, first.data, first.id) == ("live", {"twin": "a"}, "")
    assert (second.event, second.data, second.id) == ("message", {"after": "5"}, "7")
    whole = b'event: x\r\ndata: {"a": 1}\r\n\r\n'
    cut = [whole[k : k + 1] for k in range(len(whole))]
    assert [e.data for e in parse_events(cut)] == [{"a": 1}]


def test_export_streams(client):
    assert b"".join(client.export(["a", "b"], form="arrow")) == b"time,a,b,arrow\n"


def test_invalid_input_is_its_own_kind(client):
    from servitwin.client.http import _error

    told = (
        b'{"code": "a:b", "message": "m", "faults": [{"code": "a:b", "message": "m"}, {"code": "c:d", "message": "n"}]}'
    )
    e = _error(422, told, "/x")
    assert isinstance(e, InvalidInputError)
    assert [f.code for f in e.faults] == ["a:b", "c:d"]
