"""Finds mappings of different connections that match one topic: only one of them may say whose it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from servitwin.domain.error import Fault
from servitwin.formats.plant import Connection
from servitwin.formats.structure import where
from servitwin.formats.yaml_node import Parsed
from servitwin.sdk.topic import filters_overlap
from servitwin.usecases.kept_plants import is_mapped

_HINT = "Of one topic only one mapping may say whose it is: narrow one of the two, or give each connection its twins"


class _Mapped(NamedTuple):
    topic: str
    twins: frozenset[str]  # empty: any
    owner: tuple[int, str]  # the file's number (-1: on the node) and the connection
    shown: str
    path: tuple[str | int, ...] = ()


def overlapping_topics(plants: Sequence[Parsed], kept: Mapping[str, Sequence[Connection]]) -> list[Fault]:
    """A fault at each mapping of the files that another connection, of a file or of the node, overlaps.

    Two connections that say which twins they speak for, and have none in common, may share topics.

    Args:
        plants: plant files, with or without faults of their own.
        kept: connections that the node has, by plant; those of a plant among the files are replaced, and do not count.
    """
    names = {_text(_block(p).get("plant")) for p in plants}
    seen: dict[str, list[_Mapped]] = {}
    for plant, connections in kept.items():
        if plant not in names:
            for c in connections:
                if is_mapped(c):
                    _note(seen, _mappings(c.name, c.config, c.twins, -1, f"plant {plant!r} of the node"))
    faults: list[Fault] = []
    for number, plant_file in enumerate(plants):
        for mapped in _of_file(plant_file, number):
            for other in seen.get(_first(mapped.topic), ()):
                if other.owner != mapped.owner and _clash(mapped, other):
                    faults.append(_fault(plant_file, mapped, other))
                    break  # one is enough to act on
            _note(seen, [mapped])
    return faults


def _clash(one: _Mapped, other: _Mapped) -> bool:
    apart = one.twins and other.twins and one.twins.isdisjoint(other.twins)
    return not apart and filters_overlap(one.topic, other.topic)


def _fault(plant: Parsed, mapped: _Mapped, other: _Mapped) -> Fault:
    line, column = plant.root.place(mapped.path) if plant.root is not None else (None, None)
    message = f"{mapped.topic!r} and {other.topic!r} of connection {other.shown} match the same topics"
    return Fault("mqtt:topics-overlap", message, _HINT, where(mapped.path), line, column, plant.file)


def _note(seen: dict[str, list[_Mapped]], found: Iterable[_Mapped]) -> None:
    for mapped in found:
        seen.setdefault(_first(mapped.topic), []).append(mapped)


def _of_file(plant: Parsed, number: int) -> Iterator[_Mapped]:
    for name, said in _dict(_block(plant).get("connections")).items():
        entry = _dict(said)
        if is_mapped(Connection(name, _text(entry.get("connector")))):
            twins = [t for t in _list(entry.get("twins")) if isinstance(t, str)]
            place = f"in {plant.file}" if plant.file else "in this file"
            yield from _mappings(name, _dict(entry.get("config")), twins, number, place)


def _mappings(name: str, config: Mapping[str, Any], twins: Iterable[str], number: int, place: str) -> Iterator[_Mapped]:
    only = frozenset(twins)
    for i, entry in enumerate(_list(config.get("mappings"))):
        topic = _text(_dict(entry).get("topic"))
        if topic:
            path = ("connections", name, "config", "mappings", i, "topic")
            yield _Mapped(topic, only, (number, name), f"{name!r} {place}", path)


def _first(topic: str) -> str:
    return topic.partition("/")[0]  # the connector wants it spelled out: filters that differ here never meet


def _block(plant: Parsed) -> dict[str, Any]:
    return _dict(plant.root.plain()) if plant.root is not None else {}


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
