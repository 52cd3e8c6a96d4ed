"""Mappings: foreign topics and payloads said in configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Keys
from difflib import get_close_matches
from typing import Any

import msgspec

from servitwin.domain.error import Fault
from servitwin.domain.twin import TWIN_ID
from servitwin.sdk.payload import TIME_UNITS, Fields
from servitwin.sdk.topic import filters_overlap

_PLACE = re.compile(r"\{(\d+)\}")
TWIN_PLACE = "{twin}"
# First levels of subjects that parts of the node use among themselves: no machine may ever speak there.
RESERVED = frozenset({"servitwin", "in", "live", "ask", "changed", "happened", "plugin"})
_NOT_IN_TOPICS = re.compile(r"[\s\x00-\x20\x7f*>]")


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One foreign form of topic and payload; see README.md."""

    topic: str
    twin: str
    signal: str = ""
    time: str = "time"
    times: str = "times"
    values: str = "values"
    session: str = "session"
    seq: str = "seq"
    time_unit: str = "ns"
    signals: dict[str, str] = {}

    @property
    def fields(self) -> Fields:
        """Where the parts of a payload are."""
        return Fields(self.time, self.times, self.values, self.session, self.seq, self.time_unit)


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Configuration of the connector.

    Attributes:
        admit: topic filters on which machines may publish although no mapping reads them; ``{twin}`` is their twin.
        twins: ids that the mappings may speak for; empty: any.
    """

    mappings: tuple[Mapping, ...] = ()
    admit: tuple[str, ...] = ()
    twins: tuple[str, ...] = ()


def filter_pattern(topic_filter: str) -> re.Pattern[str]:
    """A topic filter (MQTT 3.1.1, 4.7) as a pattern with one group for each wildcard."""
    levels = topic_filter.split("/")
    parts = ["(.*)" if level == "#" else "([^/]*)" if level == "+" else re.escape(level) for level in levels]
    text = "/".join(parts)
    if levels[-1] == "#" and len(levels) > 1:
        text = "/".join(parts[:-1]) + "(?:/(.*))?"
    return re.compile(text + r"\Z", re.DOTALL)


def fill(template: str, groups: Sequence[str | None]) -> str:
    """``{1}`` in a template is what the first wildcard matched."""
    return _PLACE.sub(lambda m: groups[int(m[1]) - 1] or "", template)


def topics_of(config: Config, twin: str) -> list[str]:
    """Topic filters on which a machine may publish that speaks for a twin: those that are read as that twin's."""
    if config.twins and twin not in config.twins:
        return []
    found = [_filled(m.topic, groups) for m in config.mappings for groups in _groups_for(m.twin, twin)]
    return list(dict.fromkeys([*found, *(a.replace(TWIN_PLACE, twin) for a in config.admit)]))


def _groups_for(template: str, twin: str) -> Iterator[dict[int, str]]:
    """Every way in which wildcards make the template this twin: ``{1}-{2}`` is ``a-b-c`` in two."""
    place = _PLACE.search(template)
    if place is None:
        if template == twin:
            yield {}
        return
    before, number, after = template[: place.start()], int(place[1]), template[place.end() :]
    if not twin.startswith(before):
        return
    rest = twin[len(before) :]
    for end in range(1, len(rest) + 1):
        value = rest[:end]
        for groups in _groups_for(after, rest[end:]):
            if groups.get(number, value) == value:
                yield {**groups, number: value}


def _filled(topic_filter: str, groups: Keys[int, str]) -> str:
    levels, wildcard = [], 0
    for level in topic_filter.split("/"):
        wildcard += level in {"+", "#"}
        levels.append(groups.get(wildcard, level) if level in {"+", "#"} else level)
    return "/".join(levels)


# checks ---------------------------------------------------------------------------------------------------------


def faults_of(raw: dict[str, Any]) -> tuple[Config | None, list[Fault]]:
    """The configuration, or all that is wrong with it."""
    faults = list(_unknown_keys(raw, Config, ""))
    mappings, admit = raw.get("mappings", []), raw.get("admit", [])
    if not isinstance(mappings, list):
        faults.append(_wrong("mappings", "a list of mappings"))
        mappings = []
    if not isinstance(admit, list):
        faults.append(_wrong("admit", "a list of topic filters"))
        admit = []
    seen: list[tuple[int, str]] = []
    for i, entry in enumerate(mappings):
        where = f"mappings[{i}]"
        if not isinstance(entry, dict):
            faults.append(_wrong(where, "a block with topic and twin"))
            continue
        faults += [*_unknown_keys(entry, Mapping, where), *_wrong_values(entry, where)]
        topic = entry.get("topic")
        if isinstance(topic, str):
            faults += _faults_of_topic(topic, f"{where}.topic", [o for o in seen if filters_overlap(o[1], topic)])
            seen.append((i, topic))
            faults += _faults_of_templates(entry, topic, where)
    for i, entry in enumerate(admit):
        if isinstance(entry, str):
            faults += _faults_of_topic(entry.replace(TWIN_PLACE, "+"), f"admit[{i}]", [])
        else:
            faults.append(_wrong(f"admit[{i}]", "a topic filter"))
    if not faults:
        try:
            return msgspec.convert(raw, Config), []
        except msgspec.ValidationError as e:
            faults = [Fault("mqtt:mapping-wrong", str(e), "Compare with the table in the connector's README.md")]
    return None, faults


def _wrong(where: str, wanted: str) -> Fault:
    return Fault("mqtt:mapping-wrong", f"{where} must be {wanted}", "Compare with docs/guides/connect.md", where)


def _unknown_keys(entry: dict[str, Any], kind: type[msgspec.Struct], where: str) -> Iterator[Fault]:
    known = kind.__struct_fields__
    for key in entry:
        if key not in known:
            near = get_close_matches(str(key), known, 1, 0.6)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known here: {', '.join(known)}"
            place = f"{where}.{key}" if where else str(key)
            yield Fault("mqtt:option-unknown", f"{str(key)[:60]!r} is no option of a mapping", hint, place)


def _wrong_values(entry: dict[str, Any], where: str) -> Iterator[Fault]:
    for key in ("topic", "twin"):
        if key not in entry:
            yield Fault("mqtt:mapping-wrong", f"{where} has no {key}", f"Say `{key}:`", where)
    for key in Mapping.__struct_fields__:
        value = entry.get(key, "")
        if key == "signals":
            fits = isinstance(value or {}, dict) and all(isinstance(v, str) for v in (value or {}).values())
            wanted = "names: {foreign name: signal}"
        else:
            fits, wanted = isinstance(value, str), "text"
        if not fits:
            yield _wrong(f"{where}.{key}", wanted)
    unit = entry.get("time_unit", "ns")
    if isinstance(unit, str) and unit not in TIME_UNITS:
        yield Fault("mqtt:time-unit-wrong", f"time_unit is {unit!r}", "Use ns, us, ms or s", f"{where}.time_unit")


def _faults_of_topic(topic: str, where: str, overlapping: Sequence[tuple[int, str]]) -> Iterator[Fault]:
    levels = topic.split("/")
    if not _is_filter(topic):
        hint = "A wildcard stands alone in its level, # at the end; no level is empty or holds blanks, * or >"
        yield Fault("mqtt:topic-wrong", f"{topic!r} is no topic filter that machines can use here", hint, where)
        return
    first = levels[0]
    if first in {"+", "#"} or first in RESERVED or first.startswith(("$", "_")):
        hint = f"Begin with a level of the plant's own, not a wildcard, $, _ or {', '.join(sorted(RESERVED))}"
        yield Fault("mqtt:topic-reserved", f"{topic!r} would reach servitwin's own topics", hint, where)
    for number, other in overlapping:
        hint = "Of one topic only one mapping may say whose it is: narrow one of the two"
        yield Fault(
            "mqtt:topics-overlap", f"{topic!r} and mappings[{number}] {other!r} match the same topics", hint, where
        )


def _faults_of_templates(entry: dict[str, Any], topic: str, where: str) -> Iterator[Fault]:
    if not _is_filter(topic):
        return
    wildcards = sum(level in {"+", "#"} for level in topic.split("/"))
    hint = f"Use {{1}} to {{{wildcards}}} for the {wildcards} wildcards" if wildcards else "The topic has no wildcard"
    for key in ("twin", "signal"):
        template = entry.get(key, "")
        if not isinstance(template, str):
            continue
        too_high = any(not 1 <= int(n) <= wildcards for n in _PLACE.findall(template))
        odd = key == "twin" and "twin" in entry and not TWIN_ID.match(_PLACE.sub("x", template))
        if too_high or odd:
            message = (
                f"{key} {template!r} does not fit {topic!r}" if too_high else f"{template!r} gives no id of a twin"
            )
            yield Fault("mqtt:template-wrong", message, hint, f"{where}.{key}")


def _is_filter(topic: str) -> bool:
    levels = topic.split("/")
    alone = all(("+" not in x or x == "+") and ("#" not in x or x == "#") for x in levels)
    return all(levels) and alone and "#" not in levels[:-1] and not _NOT_IN_TOPICS.search(topic)
