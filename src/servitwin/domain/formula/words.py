"""A formula as an English sentence, for people who do not read formulas."""

from __future__ import annotations

from collections.abc import Mapping

from servitwin.domain.formula.text import number_text, time_text
from servitwin.domain.formula.tree import (
    STATE,
    Active,
    Always,
    And,
    Arithmetic,
    Compare,
    Constant,
    Count,
    Duration,
    Eventually,
    Expression,
    Formula,
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
    Relation,
    Since,
    Until,
    Window,
    invariant,
    walk,
)
from servitwin.domain.instant import DAY, HOUR, MINUTE, NS
from servitwin.domain.signal import SignalDefinition

_RELATIONS: dict[Relation, str] = {
    "<": "below", "<=": "at most", ">": "above", ">=": "at least", "==": "exactly", "!=": "other than",
}  # fmt: skip
_OPPOSITE: dict[Relation, Relation] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_COUNTED: dict[Relation, str] = {
    "<": "fewer than", "<=": "at most", ">": "more than", ">=": "at least", "==": "exactly", "!=": "other than",
}  # fmt: skip
_OPERATORS = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}
_SHOWN = {
    "Cel": "°C",
    "[degF]": "°F",
    "1": "",
    "kW.h": "kWh",
    "/min": "per minute",
    "1/min": "per minute",
    "/s": "per second",
    "1/s": "per second",
    "[g]": "g",
    "m3/h": "m³/h",
    "mm/s2": "mm/s²",
}


def shown_unit(unit: str) -> str:
    """A UCUM code as people write the unit; empty for a bare number."""
    return _SHOWN.get(unit, unit)


_SPANS = ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (NS, "second"), (1_000_000, "millisecond"))


def words(tree: Formula, signals: Mapping[str, SignalDefinition] | None = None) -> str:
    """The formula as a sentence. ``signals`` give titles and units; without them names are used.

    ``temperature > 80 -> eventually[0s, 5min](temperature < 60)`` becomes "Whenever temperature is above 80 °C, within
    5 minutes temperature is below 60 °C.".
    """
    speaker = _Speaker(signals or {})
    said = speaker.whole(invariant(tree))
    names = {n.name: n.of for n in walk(tree) if isinstance(n, Named)}
    for name, of in names.items():
        said += f"; {name!r} means that {speaker.clause(of)}"
    return said[0].upper() + said[1:] + "."


def span(ns: int) -> str:
    """A length of time: ``10 minutes``, ``1 hour``."""
    for size, unit in _SPANS:
        if ns and ns % size == 0:
            return f"{ns // size} {unit}{'' if ns == size else 's'}"
    return time_text(ns)


class _Speaker:
    def __init__(self, signals: Mapping[str, SignalDefinition]) -> None:
        self._signals = signals

    def whole(self, node: Formula) -> str:
        if isinstance(node, Implies):
            return f"whenever {self.clause(node.condition)}, {self.clause(node.then)}"
        if isinstance(node, Not):
            return f"it never happens that {self.clause(node.of)}"
        return f"at all times {self.clause(node)}"

    def clause(self, node: Formula) -> str:
        match node:
            case Constant():
                return "this holds" if node.value else "this does not hold"
            case Compare():
                return self._compare(node, node.relation)
            case Is():
                return self._is(node, "is")
            case Active():
                what = "a fault" if not node.warnings else "an alarm"
                return f"{self._title(node.signal)} has {what}{f' {node.code!r}' if node.code else ''}"
            case Not():
                return self._negated(node.of)
            case And() | Or():
                word = " and " if isinstance(node, And) else " or "
                return word.join(self._grouped(p) for p in node.parts)
            case Implies():
                return f"if {self._grouped(node.condition)}, then {self._grouped(node.then)}"
            case Until():
                within = _ahead(node.window)
                return f"{self._grouped(node.hold)} until {self._grouped(node.goal)}, which comes {within}"
            case Since():
                return f"{self._grouped(node.hold)} since {self._grouped(node.goal)}, which was {_back(node.window)}"
            case NextChange():
                title = self._title(node.signal)
                return f"{title} next changes {_ahead(node.window)}, and then {self.clause(node.then)}"
            case Named():
                return repr(node.name)
            case Always():
                return f"{_throughout(node.window)} {self._grouped(node.of)}"
            case Eventually():
                return f"{_ahead(node.window)} {self._grouped(node.of)}"
            case Historically():
                return f"throughout {_back(node.window, whole=True)} {self._grouped(node.of)}"
            case Once():
                return f"at some time {_back(node.window)} {self._grouped(node.of)}"

    def _grouped(self, node: Formula) -> str:
        """A clause in brackets where without them it could be understood in two ways."""
        said = self.clause(node)
        return f"({said})" if isinstance(node, And | Or | Implies | Until | Since | NextChange) else said

    def _negated(self, of: Formula) -> str:
        match of:
            case Compare():
                return self._compare(of, _OPPOSITE[of.relation])
            case Is():
                return self._is(of, "is not")
            case Active():
                return self.clause(of).replace(" has ", " does not have ", 1)
            case Not():
                return self.clause(of.of)
            case _:
                return f"it is not so that {self._grouped(of)}"

    def _is(self, node: Is, verb: str) -> str:
        if node.signal == STATE:
            named = [str(v).replace("_", " ") for v in node.values]
            return f"the machine {verb} {' or '.join(named)}"
        values = [str(v).lower() if isinstance(v, bool) else v for v in node.values]
        return f"{self._title(node.signal)} {verb} {' or '.join(values)}"

    def _compare(self, node: Compare, relation: Relation) -> str:
        left, right = node.left, node.right
        if isinstance(left, Count) and isinstance(right, Number):
            times = f"{_COUNTED[relation]} {number_text(right.value)} times"
            return f"in the last {span(left.past)} it happens {times} that {self._grouped(left.of)}"
        if isinstance(left, Duration) and isinstance(right, Number):
            time = f"{right.value:g} {right.unit}" if right.unit else span(round(right.value * NS))
            return f"for {_COUNTED[relation]} {time} of the last {span(left.past)} {self._grouped(left.of)}"
        unit = self._unit(left) or self._unit(right)
        return f"{self._number(left, unit)} is {_RELATIONS[relation]} {self._number(right, unit)}"

    def _number(self, node: Expression, unit: str) -> str:
        match node:
            case Number():
                shown = shown_unit(node.unit or unit)
                return f"{node.value:.10g}{'' if shown == '%' or not shown else ' '}{shown}"
            case Measured():
                return self._title(node.signal)
            case Magnitude():
                return f"the absolute value of {self._number(node.of, unit)}"
            case Arithmetic(operator="min" | "max"):
                which = "smaller" if node.operator == "min" else "larger"
                return f"the {which} of {self._number(node.left, unit)} and {self._number(node.right, unit)}"
            case Arithmetic():
                inner = "" if node.operator in ("*", "/") else unit
                sides = [self._number(s, inner) for s in (node.left, node.right)]
                for i, side in enumerate((node.left, node.right)):
                    if isinstance(side, Arithmetic) and side.operator in _OPERATORS:
                        sides[i] = f"({sides[i]})"
                return f"{sides[0]} {_OPERATORS[node.operator]} {sides[1]}"
            case Count() | Duration():
                return f"the {'number of times' if isinstance(node, Count) else 'time'} that {self._grouped(node.of)}"

    def _unit(self, node: Expression) -> str:
        """The unit of a number as far as it is that of a signal; a difference of temperatures is in K or its kind."""
        match node:
            case Measured():
                signal = self._signals.get(node.signal)
                return signal.unit if signal is not None else ""
            case Magnitude():
                return self._unit(node.of)
            case Arithmetic(operator="*"):
                sides = [s for s in (node.left, node.right) if not isinstance(s, Number)]
                return self._unit(sides[0]) if len(sides) == 1 else ""
            case Arithmetic(operator="/"):
                return self._unit(node.left) if isinstance(node.right, Number) else ""
            case Arithmetic():
                unit = self._unit(node.left) or self._unit(node.right)
                return "K" if unit == "Cel" and node.operator == "-" else unit
            case _:
                return ""

    def _title(self, name: str) -> str:
        signal = self._signals.get(name)
        return (signal.title if signal is not None else "") or name


def _ahead(window: Window) -> str:
    if window.high is None:
        return "at some time later"
    if window.low == 0:
        return f"within {span(window.high)}" if window.high else "at once"
    if window.low == window.high:
        return f"{span(window.low)} later"
    return f"between {span(window.low)} and {span(window.high)} later"


def _throughout(window: Window) -> str:
    if window.high is None:
        return "at all times"
    if window.low == 0:
        return f"for the next {span(window.high)}" if window.high else "now"
    if window.low == window.high:
        return f"{span(window.low)} later"
    return f"from {span(window.low)} to {span(window.high)} later"


def _back(window: Window, *, whole: bool = False) -> str:
    if window.high is None:
        since = "all time since data exist" if whole else "since data exist"
        return since if window.low == 0 else f"{since}, up to {span(window.low)} ago"
    if window.low == 0:
        return f"the last {span(window.high)}" if whole else f"in the last {span(window.high)}"
    between = f"{span(window.high)} ago to {span(window.low)} ago"
    return f"the time from {between}" if whole else f"in the time from {between}"
