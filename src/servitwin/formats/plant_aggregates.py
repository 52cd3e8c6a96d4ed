"""Aggregates of group twins: values made of the children's, in a unit that fits theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from servitwin.domain.error import InvalidInputError
from servitwin.domain.instant import parse_duration
from servitwin.domain.machine_type import MachineType
from servitwin.domain.twin import Aggregate, Function
from servitwin.domain.unit import conversion
from servitwin.formats.machine_type_rules import Say
from servitwin.formats.plant import PlantTwin
from servitwin.formats.structure import Structure, did_you_mean
from servitwin.formats.yaml_node import Key

Path = tuple[Key, ...]
Block = Mapping[str, Any]
_MAX_DEPTH = 64  # levels of groups; a ring would go on for ever
_FUNCTIONS: tuple[Function, ...] = ("sum", "mean", "min", "max", "count", "weighted_mean")


def read_aggregates(
    twins: dict[str, PlantTwin],
    blocks: Mapping[str, Block],
    types: Mapping[str, MachineType] | None,
    structure: Structure,
) -> None:
    """Put the aggregates into the twins of ``twins``; where the types are known, children must have the signal.

    Without ``unit`` an aggregate has the unit of the children's signal (a count has none).
    """
    say = structure.say_of_clean
    children: dict[str, list[PlantTwin]] = {}
    for twin in twins.values():
        for parent in {e.value for e in twin.parent.entries}:
            children.setdefault(parent, []).append(twin)
    for id in _deepest_first(twins, children):
        found = []
        signals = None if types is None else _signals_of(children.get(id, []), twins, types)
        for name, entry in blocks.get(id, {}).get("aggregates", {}).items():
            path: Path = ("twins", id, "aggregates", name)
            if not any(f in entry for f in _FUNCTIONS) and any(structure.wrote((*path, f)) for f in _FUNCTIONS):
                found.append(Aggregate(name, "sum", ""))  # its function is told as faulty; its name is there
            else:
                found.append(_aggregate(name, entry, path, signals, say))
        if found:
            _check_own_signals(twins[id], found, types, say)
            twins[id] = _with(twins[id], found)


def _with(twin: PlantTwin, aggregates: list[Aggregate]) -> PlantTwin:
    return PlantTwin(**{**{f: getattr(twin, f) for f in twin.__struct_fields__}, "aggregates": tuple(aggregates)})


def _check_own_signals(
    twin: PlantTwin, aggregates: list[Aggregate], types: Mapping[str, MachineType] | None, say: Say
) -> None:
    own = {s.name for e in twin.type.entries if types and e.value in types for s in types[e.value].signals}
    for aggregate in aggregates:
        if aggregate.name in own:
            message = f"The type of {twin.id!r} already has a signal {aggregate.name!r}"
            path: Path = ("twins", twin.id, "aggregates", aggregate.name)
            say(path, "aggregate:name-taken", message, "Give the aggregate another name", key=True)


def _deepest_first(twins: Mapping[str, PlantTwin], children: Mapping[str, list[PlantTwin]]) -> list[str]:
    depth: dict[str, int] = dict.fromkeys(twins, 0)
    frontier, level = list(twins), 0
    while frontier and level < _MAX_DEPTH:
        level += 1
        frontier = list({c.id for id in frontier for c in children.get(id, ())})
        for id in frontier:
            depth[id] = level
    return sorted(twins, key=lambda id: -depth[id])


def _signals_of(
    children: list[PlantTwin], twins: Mapping[str, PlantTwin], types: Mapping[str, MachineType]
) -> dict[str, tuple[str, str]] | None:
    """Signals of the children: name -> (type, unit); None if there are none, or one has a type nobody knows."""
    found: dict[str, tuple[str, str]] = {}
    for child in children:
        for entry in child.type.entries:
            if entry.value not in types:
                return None
            found |= {s.name: (s.type, s.unit) for s in types[entry.value].signals}
        found |= {a.name: ("number", a.unit) for a in twins[child.id].aggregates}
    return found if children else None


def _aggregate(
    name: str, entry: Block, path: Path, signals: Mapping[str, tuple[str, str]] | None, say: Say
) -> Aggregate:
    functions = [f for f in _FUNCTIONS if f in entry]
    if len(functions) != 1:
        message = f"The aggregate {name!r} names {len(functions) or 'no'} functions"
        say(path, "aggregate:one-function", message, f"Name exactly one of {', '.join(_FUNCTIONS)}", key=True)
        return Aggregate(name, "sum", "")
    function = functions[0]
    signal = entry[function].removeprefix("children.")
    unit = entry.get("unit", "")
    if signals is not None:
        unit = _unit(function, signal, unit, signals, path, say)
    weight = entry.get("weight", "").removeprefix("children.")
    if (function == "weighted_mean") != bool(weight):
        message = "A weighted mean needs `weight`" if not weight else f"A {function} has no weight"
        hint = "Add weight: children.SIGNAL" if not weight else "Remove it, or use weighted_mean"
        say((*path, "weight") if weight else path, "aggregate:weight", message, hint, key=True)
    if weight and signals is not None:
        _unit("weighted_mean", weight, "", signals, (*path, "weight"), say)
    return Aggregate(
        name=name,
        function=function,
        signal=signal,
        unit=unit or ("1" if function == "count" else ""),
        max_age=parse_duration(entry["max_age"]) if "max_age" in entry else None,
        missing=entry.get("missing", "partial"),
        weight=weight,
        title=entry.get("title", ""),
    )


def _unit(
    function: Function, signal: str, unit: str, signals: Mapping[str, tuple[str, str]], path: Path, say: Say
) -> str:
    place = path if path[-1] == "weight" else (*path, function)
    if signal not in signals:
        hint = did_you_mean(signal, signals) or f"Signals of its children: {', '.join(list(signals)[:12]) or 'none'}"
        say(place, "aggregate:signal-unknown", f"No child has a signal {signal!r}", hint)
        return unit
    kind, own = signals[signal]
    if function == "count":
        return unit
    if kind != "number":
        message = f"The children's signal {signal!r} is a {kind} and has no {function}"
        say(place, "aggregate:not-a-number", message, "Name a number, or use count")
        return unit
    if unit and own:
        try:
            conversion(own, unit)
        except InvalidInputError as e:
            say((*path, "unit"), e.fault.code, e.fault.message, f"Use {own} or a unit of the same kind")
    return unit or own
