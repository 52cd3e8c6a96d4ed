"""What can be written, and every fault of a text at its character."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.formula.checked import requirement_formula
from servitwin.domain.formula.read import read
from servitwin.domain.formula.text import text
from servitwin.domain.formula.token import place_of
from servitwin.domain.formula.tree import (
    Active,
    Always,
    And,
    Arithmetic,
    Compare,
    Count,
    Eventually,
    Implies,
    Is,
    Measured,
    Named,
    NextChange,
    Not,
    Number,
    Or,
    Since,
    Until,
    Window,
)
from tests.unit.formula.trees import SIGNALS, bare, formula

S = 1_000_000_000
P, Q, R = (Is(n, (True,)) for n in "pqr")
A, B = Measured("a"), Measured("b")
OVER = Compare(B, ">", Number(1))


@pytest.mark.parametrize(
    ("written", "tree"),
    [
        ("p", P),
        ("not p and q or r -> p", Implies(Or((And((Not(P), Q)), R)), P)),
        ("p -> q -> r", Implies(P, Implies(Q, R))),
        ("p and q and r", And((P, Q, R))),
        ("not p until[0s, 5s] q and r", And((Until(Not(P), Q, Window(0, 5 * S)), R))),
        ("p since q", Since(P, Q, Window())),
        ("p since[1s, inf] q", Since(P, Q, Window(S, None))),
        ("always(p)", Always(P, Window())),
        ("eventually[5s](p)", Eventually(P, Window(0, 5 * S))),
        ("eventually[1h30m, 2d](p)", Eventually(P, Window(5400 * S, 172800 * S))),
        ("a + b * 2 > 3 /min", Compare(Arithmetic("+", A, Arithmetic("*", B, Number(2))), ">", Number(3, "/min"))),
        ("80/a<1", Compare(Arithmetic("/", Number(80), Measured("a")), "<", Number(1))),
        ("a - b - 1 < 5 m.s-2", Compare(Arithmetic("-", Arithmetic("-", A, B), Number(1)), "<", Number(5, "m.s-2"))),
        ("x is A", Is("x", ("A",))),
        ("x is not 'A b'", Not(Is("x", ("A b",)))),
        ("'A' == x", Is("x", ("A",))),
        ("x != \"A\"", Not(Is("x", ("A",)))),
        ("door == false", Is("door", (False,))),
        ("x in (A, 'B', A)", Is("x", ("A", "B"))),
        ("x not in (A)", Not(Is("x", ("A",)))),
        ("c is active", Active("c")),
        ("c is 'active'", Is("c", ("active",))),
        ("c is fault", Active("c", warnings=False)),
        ("c has '433'", Active("c", "433")),
        ("c has fault '433'", Active("c", "433", warnings=False)),
        ("`flow.station-1` > 1", Compare(Measured("flow.station-1"), ">", Number(1))),
        ("count[10min](p) <= 3", Compare(Count(P, 600 * S), "<=", Number(3))),
        ("next_change[0s, 5s](x, p)", NextChange("x", P, Window(0, 5 * S))),
        ("let a = b > 1; let c = 3; a and b > c", And((Named("a", OVER), Compare(B, ">", Number(3))))),
    ],
)  # fmt: skip
def test_what_can_be_written(written: str, tree: object) -> None:
    found = read(written)
    assert found.faults == []
    assert bare(found.tree) == bare(tree)


@pytest.mark.parametrize(
    ("written", "faults"),
    [
        ("", [("empty", 1)]),
        ("a >", [("syntax", 4)]),
        ("a >> 80", [("syntax", 4)]),
        ("(a > 3", [("syntax", 7)]),
        ("a > 3)", [("syntax", 6)]),
        ("p q", [("syntax", 3)]),
        ("1 < a < 3", [("chained", 7)]),
        ("p until q until r", [("chained", 11)]),
        ("p && q", [("character", 3), ("syntax", 6)]),
        ("a ≥ 3", [("character", 3), ("syntax", 5)]),
        ("x is 'A", [("quote-open", 6)]),
        ("x is '\\q'", [("escape", 7)]),
        ("a > 1e999", [("number", 5)]),
        ("3", [("not-a-truth", 1)]),
        ("p and 'x'", [("not-a-truth", 7)]),
        ("(p and q) > 3", [("not-a-number", 2)]),
        ("a > 'x' + 1", [("not-a-number", 5)]),
        ("always[0, 5s](p)", [("duration", 8)]),
        ("always[0s, x](p)", [("duration", 12)]),
        ("always[0s, 99999999d](p)", [("duration", 12)]),
        ("always[5s, 1s](p)", [("window-reversed", 12)]),
        ("count(p) > 3", [("window-missing", 6)]),
        ("count[0s](p) > 3", [("duration", 7)]),
        ("let a = p; let a = q; a", [("name-twice", 16)]),
        ("let a = p; q", [("name-unused", 5)]),
        ("foo(p)", [("syntax", 1)]),
        ("x is 433", [("syntax", 6)]),
        ("c has 433", [("syntax", 7)]),
        ("always p", [("syntax", 8)]),
        ("let x = 3 > ; let y = ; x and y", [("syntax", 13), ("syntax", 23)]),
        ("min(a) > 3", [("syntax", 6)]),
        ("``", [("name-empty", 1)]),
        ("x" * 10_001, [("too-long", 10_001)]),
    ],
)
def test_faults_point_at_the_character(written: str, faults: list[tuple[str, int]]) -> None:
    found = read(written)
    assert [(f.code.removeprefix("formula:"), f.column) for f in found.faults] == faults
    assert all(f.message and f.line == 1 for f in found.faults)


def test_line_and_column_of_several_lines() -> None:
    written = "let hot = a > 80;\nhot ->\n  eventualy[0s, 5s](p)"
    (fault,) = read(written).faults[:1]
    assert (fault.line, fault.column) == (3, 3)
    assert written[place_of(written, fault) :].startswith("eventualy")


@pytest.mark.parametrize("piece", ["(", "not ", "-", "p -> ", "always[0s,1s](", "abs(", "p and (", "a + ", "let x = "])
def test_deep_text_is_refused_and_does_not_exhaust_the_stack(piece: str) -> None:
    found = read(piece * (9_000 // len(piece)) + "p")
    assert found.faults
    codes = {f.code for f in found.faults}
    assert piece == "let x = " or codes == {"formula:too-deep"}


def test_names_that_double_are_refused() -> None:
    lets = "let n0 = p and q; " + "".join(f"let n{i + 1} = n{i} and n{i}; " for i in range(40))
    codes = [f.code for f in read(lets + "n40").faults]
    assert codes == ["formula:too-large"]


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=60), st.binary(max_size=60).map(lambda b: b.decode("latin-1"))))
def test_any_text_gives_a_tree_or_faults(written: str) -> None:
    found = requirement_formula(written, SIGNALS, "spindle")
    assert (found.tree is None) == bool(found.faults)


@settings(max_examples=300)
@given(st.integers(0, 2**40))
def test_a_broken_formula_gives_a_tree_or_faults(seed: int) -> None:
    rng = Random(seed)
    written = text(formula(rng, 3))
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(written) + 1)
        written = (
            written[:at]
            + rng.choice(["", "(", ")", "'", "`", "not ", ";", "[", "let ", "5 ", "é"])
            + written[at + rng.randint(0, 3) :]
        )
    found = requirement_formula(written, SIGNALS)
    assert (found.tree is None) == bool(found.faults)
    for fault in found.faults:
        assert fault.line is not None and fault.column is not None
        assert 0 <= place_of(written, fault) <= len(written)
