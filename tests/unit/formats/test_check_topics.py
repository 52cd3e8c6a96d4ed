"""Mappings of different connections that match one topic are told where they stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servitwin.connectors.mqtt.mapping import filter_pattern
from servitwin.formats.plant import Connection
from servitwin.formats.plant_file import Known
from servitwin.sdk.topic import filters_overlap
from servitwin.usecases.check_files import FileText, read_files

TOPICS = [f"{a}/{b}{c}" for a in "ab" for b in "xy" for c in ("", "/p", "/q", "/p/q", "/q/q")]
LEVEL = st.sampled_from(["x", "y", "p", "q", "+"])
FILTER = st.builds(
    lambda first, rest, end: "/".join([first, *rest, *end]),
    st.sampled_from("ab"), st.lists(LEVEL, min_size=1, max_size=3), st.sampled_from([[], ["#"]]),
)  # fmt: skip


def plant(name: str, **topics: str) -> str:
    lines = [f"plant: {name}", "connections:"]
    for connection, said in topics.items():
        twins, _, topic = said.rpartition("@")
        lines += [f"  {connection}:", "    connector: mqtt", *([f"    twins: [{twins}]"] if twins else [])]
        lines += ["    config:", "      mappings:", f'        - {{topic: {topic}, twin: "press"}}']
    return "\n".join([*lines, "twins:", "  press: {kind: machine}", "  saw: {kind: machine}"]) + "\n"


def faults(*texts: str, known: Known | None = None) -> list[tuple[str, int | None, int | None]]:
    files = [FileText(f"{i}.yaml", text) for i, text in enumerate(texts)]
    found = [f for f in read_files(files, known=known).faults if f.code.startswith("mqtt:")]
    assert all(f.hint for f in found)
    return [(f.file or "", f.line, f.column) for f in found]


@pytest.mark.parametrize("other", ["shop/+/raw", "shop/a/raw", "shop/#", "shop/a/+"])
def test_two_connections_of_one_file_that_match_one_topic(other: str) -> None:
    assert faults(plant("p", one="shop/a/raw", two=other)) == [("0.yaml", 12, 19)]


@pytest.mark.parametrize("other", ["shop/b/raw", "shop/a", "hall/#", "shop/a/raw/x"])
def test_filters_that_share_no_topic_stand_beside_each_other(other: str) -> None:
    assert faults(plant("p", one="shop/a/raw", two=other)) == []


def test_connections_that_name_different_twins_may_share_topics_and_with_one_in_common_not() -> None:
    assert faults(plant("p", one="press@shop/+/raw", two="saw@shop/+/raw")) == []
    assert len(faults(plant("p", one="press@shop/+/raw", two="saw, press@shop/+/raw"))) == 1
    assert len(faults(plant("p", one="press@shop/+/raw", two="shop/+/raw"))) == 1, "without twins it speaks for any"


def test_across_two_files_and_across_what_the_node_has() -> None:
    assert [f[0] for f in faults(plant("p", one="shop/#"), plant("q", two="shop/a"))] == ["1.yaml"]
    kept = Connection("old", "mqtt", {"mappings": [{"topic": "shop/+/raw", "twin": "{1}"}]})
    known = Known(connections={"other": [kept]})
    assert faults(plant("p", one="shop/a/raw"), known=known) == [("0.yaml", 7, 19)]
    assert faults(plant("p", one="shop/a/raw"), known=Known(connections={"p": [kept]})) == [], "it is replaced"


@pytest.mark.parametrize("connections", ["3", "[a]", "{a: 3}", "{a: {connector: mqtt, config: [1]}}",
    "{a: {connector: mqtt, twins: {}, config: {mappings: [3, {topic: 4}]}}}"])  # fmt: skip
def test_odd_files_are_told_by_others_and_break_nothing_here(connections: str) -> None:
    assert faults(f"plant: p\nconnections: {connections}\n") == []


@given(FILTER, FILTER)
def test_overlap_is_what_the_patterns_of_both_filters_say(one: str, other: str) -> None:
    shared = [t for t in TOPICS if filter_pattern(one).match(t) and filter_pattern(other).match(t)]
    assert filters_overlap(one, other) == filters_overlap(other, one)
    if shared:
        assert filters_overlap(one, other), shared
