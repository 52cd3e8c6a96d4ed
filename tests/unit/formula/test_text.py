"""A tree as text and back, and as a sentence."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.formula.checked import requirement_formula
from servitwin.domain.formula.read import read
from servitwin.domain.formula.text import text
from servitwin.domain.formula.words import words
from tests.unit.formula.trees import SIGNALS, bare, formula


@settings(max_examples=400)
@given(st.integers(0, 2**40))
def test_text_reads_back_to_the_same_tree(seed: int) -> None:
    tree = formula(Random(seed))
    written = text(tree)
    found = read(written)
    assert found.faults == [], (written, found.faults)
    assert found.tree is not None
    assert bare(found.tree) == bare(tree), written
    assert text(found.tree) == written


@settings(max_examples=200)
@given(st.integers(0, 2**40), st.booleans())
def test_every_formula_can_be_said(seed: int, with_signals: bool) -> None:
    said = words(formula(Random(seed)), SIGNALS if with_signals else None)
    assert said.endswith(".") and said[0] == said[0].upper()


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("always( ((p>3)) )", "always(p > 3)"),
        ("(a>1 and b>1) and c>1", "(a > 1 and b > 1) and c > 1"),
        ("a>1 -> (b>1 -> c>1)", "a > 1 -> b > 1 -> c > 1"),
        ("(a>1 -> b>1) -> c>1", "(a > 1 -> b > 1) -> c > 1"),
        ("a-(b-c)>0", "a - (b - c) > 0"),
        ("x == 'ACTIVE' or x != \"B C\"", "x is ACTIVE or x is not 'B C'"),
        ("not (x is A)", "x is not A"),
        ("once[0s, 90s](`is`)", "once[0s, 90s](`is`)"),
        ("eventually[60s](p)", "eventually[0s, 1min](p)"),
        ("x in ('active')", "x is 'active'"),
        ("-x < 3", "0 - x < 3"),
    ],
)
def test_canonical_spelling(written: str, canonical: str) -> None:
    tree = read(written).tree
    assert tree is not None
    assert text(tree) == canonical


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (
            "always(temperature > 353 K -> eventually[0s, 5min](temperature < 60))",
            "Whenever Spindle temperature is above 79.85 °C, within 5 minutes Spindle temperature is below 60 °C.",
        ),
        ("not always[0s, 10s](door)", "It never happens that for the next 10 seconds door is true."),
        (
            "temperature - axis.temperature < 9 [degF]",
            "At all times Spindle temperature minus axis.temperature is below 5 K.",
        ),
        (
            "duration[1h](state is planned_stop) >= 20min",
            "At all times for at least 20 minutes of the last 1 hour the machine is planned stop.",
        ),
        (
            "count[10min](alarm has '7') <= 3",
            "At all times in the last 10 minutes it happens at most 3 times that alarm has an alarm '7'.",
        ),
        ("door and (p > 3 or p < 1)", "At all times door is true and (p is above 3 bar or p is below 1 bar)."),
        ("alarm is fault -> not execution is ACTIVE", "Whenever alarm has a fault, execution is not ACTIVE."),
        (
            "let hot = temperature > 80; hot -> once[0s, 1s](door)",
            "Whenever 'hot', at some time in the last 1 second door is true; "
            "'hot' means that Spindle temperature is above 80 \u00b0C.",
        ),
    ],
)
def test_sentences(written: str, sentence: str) -> None:
    found = requirement_formula(written, SIGNALS, "spindle")
    assert found.faults == []
    assert found.tree is not None
    assert words(found.tree, SIGNALS) == sentence
