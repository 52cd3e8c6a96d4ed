"""Controller files: state machines in YAML, read with all faults at once, each at its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from servitwin.domain.controller import EVENT, Controller, Input, Observed, Property, Region, Timer, Variable
from servitwin.domain.controller import composites_of as composites_in
from servitwin.domain.controller_flat import flatten, input_ranges, region_ranges
from servitwin.domain.controller_meaning import Scope
from servitwin.domain.controller_syntax import KEYWORDS
from servitwin.domain.controller_term import FLAG, TRUE, Range, words_range, written
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import parse_duration
from servitwin.formats.controller_states import StatesReader, outline
from servitwin.formats.controller_text import Path, Texts
from servitwin.formats.structure import Structure, did_you_mean
from servitwin.formats.yaml_node import Parsed, parse

ONLY_REGION = "state"
Block = Mapping[str, Any]


def read_controller(source: str, file: str | None = None) -> tuple[Controller | None, list[Fault]]:
    """The controller in a YAML (or JSON) text; None as soon as there is one fault.

    Faults of structure have codes ``yaml:...`` and ``file:...``; of meaning ``controller:...`` and ``expression:...``.
    """
    parsed: Parsed = parse(source, file)
    if parsed.root is None:
        return None, parsed.faults
    structure = Structure(parsed.root, "controller", file)
    structure.faults += parsed.faults
    controller = _Reader(structure, source).read()
    if controller is not None and not controller.regions:
        structure.say((), "controller:no-states", "The controller has no states", "Add `states`, or `regions`")
    found = sorted(structure.faults, key=lambda f: (f.line or 0, f.column or 0))
    return (None if found else controller), found


def scope_of(controller: Controller) -> Scope:
    """The names that expressions of a controller may use."""
    ranges = region_ranges(controller.regions)
    composites = {
        r.name: {
            name: tuple(ranges[r.name].words.index(leaf) for leaf in leaves)
            for name, leaves in composites_in(r.states).items()
        }
        for r in controller.regions
    }
    inputs = input_ranges(controller)
    names = {**ranges, **{v.name: v.range for v in controller.variables}}
    names |= {**{t.name: t.range for t in controller.timers}, **inputs}
    return Scope(names, composites, frozenset(t.name for t in controller.timers), frozenset(inputs), controller.tick)


def read_property_blocks(source: str, controller: Controller, names: Sequence[str]) -> list[Property]:
    """Properties of a controller file as another controller understands them; those that it cannot say are left out."""
    root = parse(source).root
    if root is None:
        return []
    found: list[Property] = []
    for name in names:
        structure = Structure(root, "controller")
        reader = _Reader(structure, source)
        structure.faults.clear()
        block = reader.data.get("properties", {}).get(name)
        read = None if block is None else reader.property(name, block, scope_of(controller))
        if read is not None and not structure.faults:
            found.append(read)
    return found


class _Reader:
    def __init__(self, structure: Structure, source: str) -> None:
        self._structure = structure
        self._texts = Texts(structure, source)
        self._say = structure.say_of_clean
        self.data: Block = structure.clean()

    def read(self) -> Controller | None:
        data = self.data
        tick = self._tick(data)
        inputs = tuple(
            Input(n, self._range(b, ("inputs", n)), b.get("title", "") if isinstance(b, dict) else "")
            for n, b in data.get("inputs", {}).items()
        )
        variables = tuple(self._variable(n, b) for n, b in data.get("variables", {}).items())
        timers = tuple(self._timer(n, limit, tick) for n, limit in data.get("timers", {}).items())
        events = tuple(data.get("events", ()))
        blocks = self._region_blocks(data)
        names = Controller(
            data.get("controller", ""), int(data.get("version", 1)),
            tuple(Region(n, outline(b.get("states", {})), "") for n, b, _ in blocks),
            variables, timers, inputs, events, tick=tick,
        )  # fmt: skip
        if not self._names_differ(names):
            return None
        scope = scope_of(names)
        regions = tuple(StatesReader(self._texts, scope, events).region(n, b, p) for n, b, p in blocks)
        controller = Controller(
            names.name, names.version, regions, variables, timers, inputs, events,
            tuple(self._texts.truth(t, ("assume", i), scope) for i, t in enumerate(data.get("assume", []))),
            tuple(self.property(n, b, scope) for n, b in data.get("properties", {}).items()),
            tuple(o for n, b in data.get("observe", {}).items() if (o := self._observed(n, b, scope)) is not None),
            tick, data.get("title", names.name), tuple(data.get("limits", ())),
        )  # fmt: skip
        if not self._structure.faults:
            try:
                flatten(controller)
            except InvalidInputError as e:
                self._say((), e.fault.code, e.fault.message, e.fault.hint)
        return controller

    def _tick(self, data: Block) -> int | None:
        if "tick" not in data:
            return None
        tick = parse_duration(data["tick"])
        if tick <= 0:
            self._say(("tick",), "controller:tick", "A step takes no time", "Write a positive duration, like 10ms")
            return None
        return tick

    def _range(self, block: Any, path: Path) -> Range:
        if block == "flag":
            return FLAG
        kinds = [k for k in ("type", "range", "values") if k in block]
        if len(kinds) != 1:
            if not self._structure.faults or not kinds:
                hint = "Write one of `type: flag`, `range: [0, 10]`, `values: [a, b]`"
                self._say(path, "controller:no-range", "It must be clear which values it has", hint)
            return FLAG
        if kinds == ["values"]:
            words = tuple(block["values"])
            if len(set(words)) < len(words):
                self._say((*path, "values"), "controller:name-twice", "A word stands there twice", "Remove one")
            return words_range(words) if words else FLAG
        if kinds == ["range"] and len(block["range"]) == 2:
            low, high = (int(b) for b in block["range"])
            if low > high:
                self._say((*path, "range"), "controller:range-empty", f"{low} is above {high}", "Exchange them")
                return FLAG
            return Range("integer", low, high)
        return FLAG

    def _variable(self, name: str, block: Any) -> Variable:
        path = ("variables", name)
        range = self._range(block, path)
        if not isinstance(block, dict):
            return Variable(name, range, 0)
        first = block.get("initial")
        initial: int | None = range.low
        if first == "any":
            initial = None
        elif first is not None:
            initial = self._value(first, range, (*path, "initial"))
        return Variable(name, range, initial, block.get("saturates", False), block.get("title", ""))

    def _value(self, value: Any, range: Range, path: Path) -> int:
        """A value of a range as its number; the lowest, and a fault, where it is none."""
        if range.kind == "word" and isinstance(value, str) and value in range.words:
            return range.words.index(value)
        if range.kind == "flag" and isinstance(value, bool):
            return int(value)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if range.kind == "integer" and number and range.low <= value <= range.high:
            return int(value)
        wanted = (
            ", ".join(range.words[:12])
            if range.kind == "word"
            else f"{range.shown(range.low)} to {range.shown(range.high)}"
        )
        hint = f"One of: {wanted}"
        self._say(path, "controller:value-outside", f"{str(value)[:60]!r} is none of its values", hint)
        return range.low

    def _timer(self, name: str, limit: Any, tick: int | None) -> Timer:
        if not isinstance(limit, str):
            return Timer(name, int(limit))
        ns = parse_duration(limit)
        if tick is None:
            hint = "Declare `tick: 10ms`, or write the limit in ticks"
            self._say(("timers", name), "expression:no-tick", "A duration needs the length of a step", hint)
            return Timer(name, 1)
        if ns % tick or not tick <= ns <= 10**9 * tick:
            message = f"{limit} is not 1 to 10^9 whole ticks of {tick} ns"
            self._say(("timers", name), "expression:not-whole-ticks", message, "Change it or the tick")
            return Timer(name, 1)
        return Timer(name, ns // tick)

    def _region_blocks(self, data: Block) -> list[tuple[str, Block, Path]]:
        if "regions" in data and "states" in data:
            self._say(("states",), "controller:states-twice", "There are `states` and `regions`", "Use one of them")
        if "regions" in data:
            return [(n, b, ("regions", n)) for n, b in data["regions"].items()]
        return [(ONLY_REGION, data, ())] if "states" in data else []

    def _names_differ(self, c: Controller) -> bool:
        seen: dict[str, str] = {}
        good = True
        blocks = {
            "inputs": [i.name for i in c.inputs], "variables": [v.name for v in c.variables],
            "timers": [t.name for t in c.timers], "regions": [r.name for r in c.regions],
        }  # fmt: skip
        if c.events:
            seen[EVENT] = "events"
        if len(set(c.events)) < len(c.events) or "none" in c.events:
            self._say(
                ("events",), "controller:name-twice", "An event stands there twice or is called none", "Rename it"
            )
            good = False
        for block, names in blocks.items():
            for name in names:
                if name in seen or name in KEYWORDS:
                    what = f"belongs to {seen[name]} too" if name in seen else "is a word of the language"
                    self._say((block, name), "controller:name-twice", f"{name!r} {what}", "Rename it", key=True)
                    good = False
                seen[name] = block
        words = {w for i in c.inputs for w in i.range.words} | {w for v in c.variables for w in v.range.words}
        words |= {w for r in c.regions for s in [r] for w in _words(s)}
        for name in seen.keys() & words:
            message = f"{name!r} is a name and also a value or state"
            self._say((seen[name], name), "controller:name-twice", message, "Rename one of them", key=True)
            good = False
        return good

    def property(self, name: str, block: Block, scope: Scope) -> Property:
        """A property from its block."""
        path: Path = ("properties", name)
        forms = [k for k in ("always", "never", "whenever") if k in block]
        common = {"text": block.get("text", ""), "severity": block.get("severity", "medium")}
        if (
            len(forms) != 1
            or (forms == ["whenever"]) != ("then" in block)
            or ("within" in block and "then" not in block)
        ):
            hint = "Write one of `always: P`, `never: P`, or `whenever: P`, `then: Q`, `within: N`"
            self._say(path, "controller:property-form", "It must have exactly one form", hint)
            return Property(name, "always", TRUE)
        if forms != ["whenever"]:
            form = forms[0]
            term = self._texts.truth(block[form], (*path, form), scope)
            kind = "always" if form == "always" else "never"
            return Property(name, kind, term, formula=f"{form} {written(term)}", **common)  # type: ignore[arg-type]
        trigger = self._texts.truth(block["whenever"], (*path, "whenever"), scope)
        holds = self._texts.truth(block["then"], (*path, "then"), scope)
        within = self._steps(block.get("within", 0), (*path, "within"), scope.tick)
        formula = f"whenever {written(trigger)} then {written(holds)} within {within} steps"
        return Property(name, "response", holds, trigger, within, formula=formula, **common)

    def _steps(self, within: Any, path: Path, tick: int | None) -> int:
        if not isinstance(within, str):
            return int(within)
        ns = parse_duration(within)
        if tick is None or ns % tick or ns // tick > 1_000_000:
            hint = "Declare a `tick` that divides it, or write steps"
            self._say(path, "expression:not-whole-ticks", f"{within} is no whole number of steps", hint)
            return 0
        return ns // tick

    def _observed(self, name: str, block: Any, scope: Scope) -> Observed | None:
        range = scope.names.get(name)
        if range is None or name in scope.timers:
            hint = did_you_mean(name, scope.names) or "Name a region, variable or input"
            self._say(
                ("observe", name), "controller:observe-unknown", f"There is no {name!r} to observe", hint, key=True
            )
            return None
        if isinstance(block, str):
            return Observed(name, block)
        path: Path = ("observe", name, "values")
        values = tuple((w, self._value(v, range, (*path, w))) for w, v in block.get("values", {}).items())
        return Observed(name, block.get("signal", ""), values)


def _words(region: Region) -> set[str]:
    return {*composites_in(region.states), *(w for w in region_ranges([region])[region.name].words)}
