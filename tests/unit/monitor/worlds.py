"""Random formulas and traces, small enough for the definition to be computed."""

from __future__ import annotations

from random import Random

import numpy as np

from servitwin.domain.formula.tree import (
    Active,
    Always,
    And,
    Arithmetic,
    Compare,
    Constant,
    Count,
    Duration,
    Eventually,
    Historically,
    Implies,
    Is,
    Magnitude,
    Measured,
    Named,
    NextChange,
    Not,
    Number,
    Once,
    Or,
    Since,
    Until,
    Window,
)
from servitwin.proof.monitor.trace import SignalTrace, Trace

WORDS = ("READY", "ACTIVE", "STOPPED")
SETS = ("", "fault|1", "warning|1", "fault|2\nwarning|1")
RELATIONS = ("<", "<=", ">", ">=", "==", "!=")


def window(random: Random, *, past: bool, far: int = 4) -> Window:
    low = random.choice((0, 0, 0, 1, 2, 3))
    return Window(low, None if past and random.random() < 0.2 else low + random.randrange(far))


def number(random: Random, depth: int):
    if depth <= 0 or random.random() < 0.6:
        factor, offset = random.choice(((1.0, 0.0), (1.0, 0.0), (-2.0, 1.0), (0.5, 0.0)))
        return (
            Measured(random.choice("xy"), factor, offset) if random.random() < 0.7 else Number(random.randrange(-2, 5))
        )
    if random.random() < 0.2:
        return Magnitude(number(random, depth - 1))
    operator = random.choice(("+", "-", "*", "/", "min", "max"))
    return Arithmetic(operator, number(random, depth - 1), number(random, depth - 1))


def atom(random: Random):
    r = random.random()
    if r < 0.35:
        return Compare(Measured(random.choice("xy")), random.choice(RELATIONS), Number(random.randrange(-1, 4)))
    if r < 0.5:
        return Compare(number(random, 2), random.choice(RELATIONS), number(random, 1))
    if r < 0.65:
        return Is("word", tuple(random.sample(WORDS, random.randrange(1, 3))))
    if r < 0.8:
        return Is("flag", (random.random() < 0.7,))
    if r < 0.95:
        return Active("condition", random.choice(("", "1", "2")), random.random() < 0.5)
    return Constant(random.random() < 0.5)


def formula(random: Random, depth: int, *, future: bool = True):
    if depth <= 0 or random.random() < 0.1:
        return atom(random)

    def below():
        return formula(random, depth - 1, future=future)

    kinds = ["not", "and", "or", "implies", "named", "historically", "once", "since", "count"]
    kinds += ["always", "eventually", "until", "next"] * 2 if future else []
    match random.choice(kinds):
        case "not":
            return Not(below())
        case "and":
            return And(tuple(below() for _ in range(random.randrange(1, 4))))
        case "or":
            return Or(tuple(below() for _ in range(random.randrange(1, 4))))
        case "implies":
            return Implies(below(), below())
        case "named":
            return Named("part", below())
        case "historically":
            return Historically(below(), window(random, past=True))
        case "once":
            return Once(below(), window(random, past=True))
        case "since":
            return Since(below(), below(), window(random, past=True))
        case "always":
            return Always(below(), window(random, past=False))
        case "eventually":
            return Eventually(below(), window(random, past=False))
        case "until":
            return Until(below(), below(), window(random, past=False))
        case "next":
            return NextChange(random.choice(("word", "flag", "x")), below(), window(random, past=False))
    of, past = formula(random, depth - 1, future=False), random.randrange(1, 8)
    relation = random.choice(RELATIONS)
    if random.random() < 0.5:
        return Compare(Count(of, past), relation, Number(random.choice((0, 1, 2, 1.5))))
    return Compare(Duration(of, past), relation, Number(random.choice((0.0, 2e-9, 3e-9, 5e-9))))


def signal(random: Random, kind: str, end: int, *, sure: float) -> SignalTrace:
    count = random.randrange(8)
    times = np.array(sorted(random.sample(range(-4, end + 3), count)), np.int64)
    known = np.array([random.random() < sure for _ in times], np.bool_)
    if kind == "number":
        values = [random.choice((-1.0, 0.0, 1.0, 2.0, 2.5, 3.0)) for _ in times]
        if random.random() < 0.1 and count:
            values[random.randrange(count)] = random.choice((float("nan"), float("inf")))
        accuracy = random.choice((0.0, 0.0, 0.5, 1.0))
        return SignalTrace(times, np.array(values, np.float64), known, accuracy)
    words = {"flag": (), "word": WORDS, "condition": SETS}[kind]
    codes = np.array([random.randrange(len(words) or 2) for _ in times], np.int32)
    return SignalTrace(times, codes, known, 0.0, words)


def trace(random: Random, end: int = 12) -> Trace:
    sure = random.choice((1.0, 1.0, 0.8, 0.5))
    kinds = {"x": "number", "y": "number", "word": "word", "flag": "flag", "condition": "condition"}
    signals = {name: signal(random, kind, end, sure=sure) for name, kind in kinds.items()}
    return Trace(0, random.choice((end, end - 5)), signals)
