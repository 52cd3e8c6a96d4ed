"""YAML as a tree with places: nothing grows beyond limits, whatever the text."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.formats import yaml_node
from servitwin.formats.yaml_node import MAX_CHARACTERS, read_yaml, resolve


def _codes(text):
    return [f.code for f in read_yaml(text)[1]]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("yes", "yes"), ("off", "off"), ("06:00", "06:00"), ("2026-12-25", "2026-12-25"), ("true", True), ("~", None),
     ("12", 12), ("-7", -7), ("0x1F", 31), ("0o17", 15), ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5), ("1_000", "1_000"),
     ("12e03", 12000.0), ("١٢", "١٢"), ("9" * 50, "9" * 50)],
)  # fmt: skip
def test_scalars_follow_the_core_schema_of_yaml_1_2(text, wanted):
    assert resolve(text) == wanted
    assert type(resolve(text)) is type(wanted)


def test_quoted_scalars_are_text():
    root, faults = read_yaml("a: '12'\nb: \"true\"\n")
    assert faults == []
    assert root.plain() == {"a": "12", "b": "true"}


def test_a_character_that_json_escapes_in_two_halves_is_one():
    root, faults = read_yaml('{"\\ud83d\\ude00": "a\\ud83d\\ude00b ä"}')
    assert faults == []
    assert root.plain() == {"😀": "a😀b ä"}


def test_places_are_those_of_the_file():
    root, _ = read_yaml("a:\n  b: [1,\n      {c: 2}]\n")
    assert root.place(("a", "b", 1, "c")) == (3, 11)
    assert root.place(("a", "b", 1, "c"), key=True) == (3, 8)
    assert root.place(("a", "missing", "deep")) == (1, 1)


def test_all_duplicate_keys_are_told_with_their_first_place():
    _, faults = read_yaml("a: 1\nb: {x: 1, x: 2}\na: 2\n")
    assert [(f.code, f.line, f.column) for f in faults] == [("yaml:duplicate-key", 2, 11), ("yaml:duplicate-key", 3, 1)]
    assert "line 1" in faults[1].message


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "yaml:empty"), ("# only words\n", "yaml:empty"), ("a: [1\n", "yaml:syntax"), ("a:\n\tb: 2", "yaml:syntax"),
     ("a: \x00", "yaml:syntax"), ("\x01", "yaml:syntax"), ("a: &x [*x]", "yaml:recursive"), ("a: *b", "yaml:alias"),
     ("a: 1\n---\nb: 1\n", "yaml:several-documents"), ("a: !!python/object:os.system x", "yaml:tag"),
     ("[" * 2_000, "yaml:too-deep"), ("{a: " * 2_000, "yaml:too-deep"), ("? [a]\n: 1\n", "yaml:key-not-text"),
     ("x" * (MAX_CHARACTERS + 1), "yaml:too-large"), ('a: "\\ud83d"', "yaml:syntax"),
     ('{"\\ude00": 1}', "yaml:syntax"), ('a: "\\ude00\\ud83d"', "yaml:syntax")],
)  # fmt: skip
def test_what_cannot_be_read_is_told_at_once(text, code):
    began = time.process_time()
    assert code in _codes(text)
    assert time.process_time() - began < 5.0


def test_a_bomb_of_aliases_is_refused_before_it_grows():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 30)]
    began = time.process_time()
    assert _codes("\n".join(lines)) == ["yaml:too-large"]
    assert time.process_time() - began < 2.0


def test_a_flat_file_has_a_limit_too(monkeypatch):
    monkeypatch.setattr(yaml_node, "MAX_NODES", 1000)
    assert _codes("[" + "1," * 998 + "]") == []
    assert _codes("[" + "1," * 1001 + "]") == ["yaml:too-large"]


def test_an_alias_is_the_value_it_stands_for():
    root, faults = read_yaml("a: &p {x: 1}\nb: *p\n")
    assert faults == []
    assert root.plain() == {"a": {"x": 1}, "b": {"x": 1}}
    assert root.place(("b",)) == (2, 4)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from(list("ab:-?,[]{}&*!|>'\"%@`#\n \t\x85\ud7ff12.~")), max_size=60))
def test_any_text_is_a_tree_or_faults_with_places_inside_it(text):
    root, faults = read_yaml(text)
    assert root is not None or faults
    lines = text.count("\n") + text.count("\x85") + 2
    assert all(f.line is None or 1 <= f.line <= lines for f in faults)
