"""Mappings: foreign topics and payloads said in configuration."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from servitwin.domain.error import Fault
from servitwin.sdk.payload import TIME_UNITS, Fields

_PLACE = re.compile(r"\{(\d+)\}")


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
    """Configuration of the connector."""

    mappings: tuple[Mapping, ...] = ()


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


def faults_of(raw: dict[str, Any]) -> tuple[Config | None, list[Fault]]:
    """The configuration, or all that is wrong with it."""
    try:
        config = msgspec.convert(raw, Config)
    except msgspec.ValidationError as e:
        return None, [
            Fault("mqtt:mapping-wrong", str(e), "Compare with the table in the connector's README.md", "mappings")
        ]
    faults: list[Fault] = []
    for i, m in enumerate(config.mappings):
        where = f"mappings[{i}]"
        levels = m.topic.split("/")
        bad_levels = any(("+" in x and x != "+") or ("#" in x and x != "#") for x in levels) or "#" in levels[:-1]
        if not m.topic or bad_levels:
            faults.append(
                Fault(
                    "mqtt:topic-wrong",
                    f"{m.topic!r} is no topic filter",
                    "A wildcard stands alone in its level, # at the end",
                    f"{where}.topic",
                )
            )
            continue
        wildcards = levels.count("+") + levels.count("#")
        for key, template in (("twin", m.twin), ("signal", m.signal)):
            if any(not 1 <= int(n) <= wildcards for n in _PLACE.findall(template)) or (key == "twin" and not template):
                faults.append(
                    Fault(
                        "mqtt:template-wrong",
                        f"{key} {template!r} does not fit {m.topic!r}",
                        f"Use {{1}} to {{{wildcards}}} for the {wildcards} wildcards",
                        f"{where}.{key}",
                    )
                )
        if m.time_unit not in TIME_UNITS:
            faults.append(
                Fault(
                    "mqtt:time-unit-wrong",
                    f"time_unit is {m.time_unit!r}",
                    "Use ns, us, ms or s",
                    f"{where}.time_unit",
                )
            )
    return config, faults
