"""The part of a machine type that refers to its signals: commands, states and control modes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from servitwin.domain.instant import parse_duration
from servitwin.domain.machine_type import (
    CommandDefinition,
    ControlModes,
    Parameter,
    Scalar,
    SignalTest,
    StateMapping,
    StateRule,
)
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time import State
from servitwin.domain.unit import parse_unit
from servitwin.formats.structure import did_you_mean
from servitwin.formats.yaml_node import Key

Path = tuple[Key, ...]
Block = Mapping[str, Any]
_LEVELS = ("normal", "warning", "fault", "unavailable")
_PARAMETER_TYPES = {"number": (int, float), "text": (str,), "flag": (bool,)}


class Say(Protocol):
    """Adds a fault at a path of the file."""

    def __call__(self, path: Path, code: str, message: str, hint: str = "", *, key: bool = False) -> None:
        """The fault's place is that of the path's key, or of its value."""
        ...


class Rules:
    """Reads what refers to signals, and says where it refers to none or to one of another kind."""

    def __init__(self, say: Say, signals: Mapping[str, SignalDefinition]) -> None:
        self._say = say
        self._signals = signals

    def signal(self, name: str, path: Path, kind: str = "", *, key: bool = False) -> SignalDefinition | None:
        """The signal of that name, of that kind if one is wanted; else a fault at the path and None."""
        found = self._signals.get(name)
        if found is None:
            hint = did_you_mean(name, self._signals) or "Declare it under signals, or use a full name that is there"
            self._say(path, "signal:unknown", f"This type has no signal {name[:60]!r}", hint, key=key)
        elif kind and found.type != kind:
            message = f"The signal {name!r} is a {found.type}, and a {kind} is needed here"
            self._say(path, "signal:wrong-type", message, f"Name a {kind} signal", key=key)
            return None
        return found

    # tests ----------------------------------------------------------------------------------------------------

    def tests(self, block: Block, path: Path) -> tuple[SignalTest, ...]:
        """Tests by signal: a value, a list of values, or ``{equals, above, below}``."""
        return tuple(self._test(name, test, (*path, name)) for name, test in block.items())

    def _test(self, name: str, test: Any, path: Path) -> SignalTest:
        signal = self.signal(name, path, key=True)
        if not isinstance(test, dict):
            return SignalTest(name, self._equals(test, signal, path))
        return self._bounds(name, test, signal, path)

    def _bounds(self, name: str, test: Block, signal: SignalDefinition | None, path: Path) -> SignalTest:
        for key in ("above", "below"):
            if key in test and signal is not None and signal.type != "number":
                message = f"The signal {name!r} is a {signal.type} and cannot be {key} a number"
                self._say((*path, key), "test:not-a-number", message, "Use equals", key=True)
        above, below = number(test.get("above")), number(test.get("below"))
        if above is not None and below is not None and above >= below:
            message = f"Nothing is above {above:g} and below {below:g}"
            self._say(path, "test:never-true", message, "Above must be less than below", key=True)
        equals = self._equals(test["equals"], signal, (*path, "equals")) if "equals" in test else ()
        return SignalTest(name, equals, above, below, test.get("parameter", ""))

    def _equals(self, value: Any, signal: SignalDefinition | None, path: Path) -> tuple[Scalar, ...]:
        values: Sequence[Scalar] = value if isinstance(value, list) else [value]
        for i, one in enumerate(values):
            place = (*path, i) if isinstance(value, list) else path
            if signal is not None:
                self._check_value(one, signal, place)
        return tuple(values)

    def _check_value(self, value: Scalar, signal: SignalDefinition, path: Path) -> None:
        code, name = "test:value-not-possible", signal.name
        choices = _LEVELS if signal.type == "condition" else signal.values
        if signal.type in ("text", "condition"):
            if not isinstance(value, str):
                self._say(path, code, f"The signal {name!r} is text and never {value}", f'Put it in quotes: "{value}"')
            elif choices and value not in choices:
                hint = did_you_mean(value, choices) or f"One of: {', '.join(choices)}"
                self._say(path, code, f"The signal {name!r} is never {value[:60]!r}", hint)
        elif not isinstance(value, _PARAMETER_TYPES[signal.type]) or (
            signal.type == "number" and isinstance(value, bool)
        ):
            wanted = "true or false" if signal.type == "flag" else "a number"
            self._say(path, code, f"The signal {name!r} is a {signal.type} and never {value!r}", f"Use {wanted}")

    # states and modes -----------------------------------------------------------------------------------------

    def states(self, block: Block, path: Path) -> StateMapping:
        """How observations become states."""
        if "word" in block:
            self.signal(block["word"], (*path, "word"))
        for i, name in enumerate(block.get("needs", ())):
            self.signal(name, (*path, "needs", i))
        rules = []
        for i, rule in enumerate(block.get("rules", ())):
            when = self.tests(rule.get("when", {}), (*path, "rules", i, "when"))
            state = State(rule.get("state", State.UNKNOWN))
            rules.append(StateRule(when, state, rule.get("cause", ""), rule.get("party", "")))
        return StateMapping(
            rules=tuple(rules),
            word=block.get("word", ""),
            needs=tuple(block.get("needs", ())),
            otherwise=State(block.get("otherwise", State.UNKNOWN)),
        )

    def modes(self, block: Block, path: Path) -> ControlModes:
        """Who has the machine in hand."""
        return ControlModes(**{mode: self.tests(tests, (*path, mode)) for mode, tests in block.items()})

    # commands -------------------------------------------------------------------------------------------------

    def commands(self, block: Block, path: Path) -> tuple[CommandDefinition, ...]:
        """Commands with their parameters and effects."""
        return tuple(self._command(name, entry, (*path, name)) for name, entry in block.items())

    def _command(self, name: str, entry: Block, path: Path) -> CommandDefinition:
        parameters = tuple(
            self._parameter(key, p, (*path, "parameters", key)) for key, p in entry.get("parameters", {}).items()
        )
        definition = CommandDefinition(
            name=name,
            risk=entry.get("risk", "safety"),
            title=entry.get("title", ""),
            parameters=parameters,
            refused_when=self.tests(entry.get("refused_when", {}), (*path, "refused_when")),
        )
        timeout = parse_duration(entry["timeout"]) if "timeout" in entry else definition.timeout
        effect, within = None, definition.effect_within
        if "effect" in entry:
            effect = self._effect(entry["effect"], parameters, (*path, "effect"))
            within = parse_duration(entry["effect"].get("within", f"{within}ns"))
        return CommandDefinition(
            definition.name, definition.risk, definition.title, parameters, timeout, effect, within,
            definition.refused_when, self._kind(entry, parameters, path),
        )  # fmt: skip

    def _kind(self, entry: Block, parameters: Sequence[Parameter], path: Path) -> Literal["control", "update"]:
        kind: Literal["control", "update"] = entry.get("kind", "control")
        digest = next((p for p in parameters if p.name == "digest"), None)
        if kind == "update" and (digest is None or digest.type != "text" or not digest.required):
            message = "A command that installs an update has to name the package"
            hint = "Add the parameter `digest: {type: text}`: the SHA-256 of the package"
            self._say((*path, "kind"), "command:update-without-digest", message, hint)
        return kind

    def _parameter(self, name: str, entry: Block, path: Path) -> Parameter:
        kind = entry.get("type", "number")
        low, high = number(entry.get("minimum")), number(entry.get("maximum"))
        if low is not None and high is not None and low > high:
            message = f"minimum is {low:g} and maximum {high:g}"
            self._say((*path, "minimum"), "parameter:range-reversed", message, "Write the lower number as minimum")
        for key in ("unit", "minimum", "maximum"):
            if key in entry and kind != "number":
                message = f"A {kind} parameter has no {key}"
                self._say((*path, key), "parameter:not-a-number", message, "Remove it", key=True)
        if "values" in entry and kind != "text":
            message = f"A {kind} parameter has no list of words"
            self._say((*path, "values"), "parameter:not-text", message, "Remove it, or say type: text", key=True)
        values, required = tuple(entry.get("values", ())), entry.get("required", True)
        return Parameter(name, kind, entry.get("unit", ""), low, high, values, required)

    def _effect(self, entry: Block, parameters: Sequence[Parameter], path: Path) -> SignalTest:
        name = entry.get("signal", "")
        signal = self.signal(name, (*path, "signal")) if name else None
        if not {"equals", "above", "below", "parameter"} & entry.keys():
            message = "The effect does not say what must be seen in the signal"
            self._say(path, "command:effect-empty", message, "Add parameter, equals, above or below", key=True)
        wanted = entry.get("parameter")
        if wanted is not None:
            self._check_effect_parameter(wanted, signal, {p.name: p for p in parameters}, (*path, "parameter"))
        return self._bounds(name, entry, signal, path)

    def _check_effect_parameter(
        self, name: str, signal: SignalDefinition | None, parameters: Mapping[str, Parameter], path: Path
    ) -> None:
        parameter = parameters.get(name)
        if parameter is None:
            hint = did_you_mean(name, parameters) or "Declare it under parameters"
            self._say(path, "command:parameter-unknown", f"This command has no parameter {name[:60]!r}", hint)
            return
        if signal is None:
            return
        if parameter.type != signal.type:
            message = f"The parameter {name!r} is a {parameter.type}, the signal {signal.name!r} a {signal.type}"
            self._say(path, "command:effect-wrong-type", message, "Compare things of the same type")
        elif parameter.unit and signal.unit and _differ(parameter.unit, signal.unit):
            message = f"The parameter {name!r} is in {parameter.unit}, the signal {signal.name!r} in {signal.unit}"
            self._say(path, "command:effect-other-unit", message, "Declare both in the same unit")


def number(value: float | None) -> float | None:
    """A float, so that 0 and 0.0 in a file give the same machine type."""
    return None if value is None else float(value)


def _differ(one: str, other: str) -> bool:
    return parse_unit(one) != parse_unit(other)
