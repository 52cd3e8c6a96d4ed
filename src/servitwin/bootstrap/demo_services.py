"""The demo's services: mills and crane are watched for anomalies, over the past that is filled in and from then on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from servitwin.domain.instant import DAY
from servitwin.usecases.assign_service import Assignment, assignments, keep_assignments
from servitwin.usecases.ports import Records
from servitwin.usecases.registry import Registry

_DONE = "demo-services"
_BACK = 3 * DAY  # the past that the simulator fills in with all signals
_MILL = ["spindle.temperature", "spindle.vibration", "axis.temperature", "coolant.pressure", "coolant.temperature"]
_WATCHED: Mapping[str, dict[str, Any]] = {
    "mill-1": {"signals": _MILL, "every": "5m", "learn": "1d", "regime": "product"},
    "mill-2": {"signals": _MILL, "every": "5m", "learn": "1d", "regime": "product"},
    "crane-1": {"signals": ["hoist.temperature", "brake.temperature", "brake.slip"], "every": "5m", "learn": "1d"},
}


def add_demo_services(records: Records, now: int) -> list[str]:
    """Let them run from the first start on, beside what runs; once withdrawn they stay so. Returns what to tell."""
    if records.setting(_DONE) is not None:
        return []
    registry = Registry(records)
    found = [
        Assignment("anomaly", twin.uid, now - _BACK, msgspec.to_builtins(parameters))
        for id, parameters in _WATCHED.items()
        if (twin := registry.by_id(id)) is not None
    ]
    with records.together():
        keep_assignments(records, [*assignments(records), *found])
        records.set_setting(_DONE, "anomaly")
    return [f"watched for anomalies: {', '.join(_WATCHED)}"]
