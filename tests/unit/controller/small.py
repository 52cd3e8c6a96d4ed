"""Small controllers at random, and what plain enumeration says about them."""

import json

from hypothesis import assume, note
from hypothesis import strategies as st

from servitwin.domain.controller import Controller
from servitwin.formats.controller_file import read_controller
from servitwin.proof.controller.run import Interpreter, evaluate

REGIONS = {"a": ("a0", "a1", "a2"), "b": ("b0", "b1")}
LIMIT = 3


def conditions(depth=2):
    atoms = [
        st.sampled_from([
            "go", "flag", "not go", "true", "other", "a is a0", "a is a1", "a is not a2", "b is b1", "b is not b0",
            "count >= 2", "count < 1", "count == side", "count + side > 3", "2 * count - side <= 1", "mode is slow",
            "mode is not fast", "side != 0", "clock >= 2", "expired(clock)", "running(clock)", "clock == count",
            "max(count, side) >= 2", "(if flag then count else side) == 1", "event is tap", "low < 0",
            "low + count == 0",
        ])
    ]  # fmt: skip
    if depth == 0:
        return atoms[0]
    inner = conditions(depth - 1)
    both = st.tuples(inner, inner)
    return st.one_of(
        atoms[0],
        both.map(lambda p: f"({p[0]} and {p[1]})"),
        both.map(lambda p: f"({p[0]} or {p[1]})"),
        both.map(lambda p: f"({p[0]} -> {p[1]})"),
        inner.map(lambda p: f"not ({p})"),
    )


ACTIONS = {
    "a": st.sampled_from([
        "count := count + 1", "count := count - 1", "count := side", "flag := not flag", "flag := go",
        "start clock", "stop clock", "count := 0; flag := count > 1", "low := low - 1", "low := low + count",
        "count := min(count + side, 3)", "count := if go then 0 else count * 2",
    ]),
    "b": st.sampled_from(["mode := fast", "mode := slow", "mode := if flag then idle else slow", ""]),
}  # fmt: skip


@st.composite
def transitions(draw, region, targets):
    block = {"priority": draw(st.integers(1, 2))}
    if draw(st.integers(0, 3)):
        block["to"] = draw(st.sampled_from(targets))
    if draw(st.booleans()):
        block["when"] = draw(conditions(1))
    if draw(st.booleans()):
        block["do"] = draw(ACTIONS[region])
    if not draw(st.integers(0, 3)):
        block["event"] = draw(st.sampled_from(["tap", "push"]))
    return block


@st.composite
def states(draw, region, names, targets):
    found = {}
    for name in names:
        block = {"transitions": draw(st.lists(transitions(region, targets), max_size=3))}
        if not draw(st.integers(0, 3)):
            block["entry"] = draw(ACTIONS[region].filter(lambda a: "go" not in a))
        if not draw(st.integers(0, 3)):
            block["exit"] = draw(ACTIONS[region])
        found[name] = block
    return found


@st.composite
def controllers(draw):
    """Two regions, one of them with a composite state; every kind of variable; two properties."""
    inner = draw(states("a", ("a1", "a2"), ("a0", "a1", "a2", "inside")))
    outer = draw(states("a", ("a0",), ("a0", "a1", "a2", "inside")))
    around = draw(states("a", ("inside",), ("a0", "a1", "a2", "inside")))
    around["inside"] |= {"initial": draw(st.sampled_from(["a1", "a2"])), "states": inner}
    data = {
        "controller": "random", "version": 1, "events": ["tap", "push"],
        "inputs": {"go": "flag", "other": "flag", "side": {"range": [0, 2]}},
        "variables": {
            "flag": {"type": "flag", "initial": draw(st.sampled_from([False, True, "any"]))},
            "count": {"range": [0, 3], "initial": draw(st.sampled_from([0, 2, "any"]))},
            "low": {"range": [-2, 1], "initial": 0},
            "mode": {"values": ["idle", "slow", "fast"]},
        },
        "timers": {"clock": LIMIT},
        "regions": {
            "a": {"initial": draw(st.sampled_from(["a0", "inside", "a2"])), "states": {**outer, **around}},
            "b": {"initial": "b0", "states": draw(states("b", ("b0", "b1"), ("b0", "b1")))},
        },
        "properties": {
            "p-never": {"text": "", "never": draw(conditions())},
            "p-response": {
                "text": "", "whenever": draw(conditions(1)), "then": draw(conditions(1)),
                "within": draw(st.integers(0, 3)),
            },
        },
    }  # fmt: skip
    if draw(st.booleans()):
        data["assume"] = ["not (go and other)"]
    note(json.dumps(data))
    controller, faults = read_controller(json.dumps(data))
    # An initial state whose entry reads an input has no meaning yet: refused, and no controller.
    assume(not (faults and {f.code for f in faults} == {"controller:initial-reads-input"}))
    assert faults == [], faults
    return controller


def shortest(controller: Controller, limit=60_000):
    """For each property the number of steps of its shortest violation, None if there is none; and the states reached.

    Breadth first over states joined with how long each response has been owed. None for all beyond the limit.
    """
    interpreter = Interpreter(controller)
    waits = [p for p in controller.properties if p.kind == "response"]
    found = {p.name: None for p in controller.properties}
    layer = {}
    for s in interpreter.starts():
        layer[(*sorted(s.items()), *(0 for _ in waits))] = (s, tuple(0 for _ in waits))
    seen = dict(layer)
    depth = 0
    while layer:
        following = {}
        for s, owed in layer.values():
            for inputs in interpreter.all_inputs(s):
                both = {**s, **inputs}
                ages = []
                for p, age in zip(waits, owed, strict=True):
                    now = 0 if evaluate(p.holds, both) else age + 1 if age else int(evaluate(p.trigger, both))
                    if now > p.within:
                        found[p.name] = depth if found[p.name] is None else found[p.name]
                        now = p.within
                    ages.append(now)
                for p in controller.properties:
                    if found[p.name] is None and p.kind != "response":
                        broken = bool(evaluate(p.holds, both)) == (p.kind == "never")
                        found[p.name] = depth if broken else None
                for _, after in interpreter.successors(s, inputs):
                    key = (*sorted(after.values.items()), *ages)
                    if key not in seen:
                        seen[key] = following[key] = (after.values, tuple(ages))
        layer = following
        depth += 1
        if len(seen) > limit:
            return None, seen
    return found, seen
