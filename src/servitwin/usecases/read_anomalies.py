"""What the service ``anomaly`` has learnt of a machine and found on it, read from its outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from servitwin.domain.instant import EARLIEST, LATEST
from servitwin.domain.twin import Twin
from servitwin.sdk.finding import ServiceFinding
from servitwin.sdk.service import Outcome
from servitwin.usecases.assign_service import Assignment, assignments
from servitwin.usecases.keep_findings import Finder
from servitwin.usecases.ports import Records

SERVICE = "anomaly"


@dataclass(frozen=True)
class Anomaly:
    """A stretch as it was told last. ``id`` is that of the finding in its case; ``peak``: 1 is the limit."""

    id: str
    finding: ServiceFinding
    peak: float | None
    model: int
    units: Sequence[str]
    told: int  # end of the step that told it last
    revision: int


@dataclass
class Watch:
    """One assignment of the service, its models by version (plain data as the service told them), what it found."""

    assignment: Assignment | None
    parameters: dict[str, Any]
    models: list[dict[str, Any]] = field(default_factory=list)
    anomalies: list[Anomaly] = field(default_factory=list)
    until: int | None = None


def read_anomalies(records: Records, twin: Twin) -> list[Watch]:
    """All watches of a twin, those that run first; one that was withdrawn is there with what it found."""
    running = [a for a in assignments(records) if (a.service, a.twin) == (SERVICE, twin.uid)]
    found = {a.parameters_key: Watch(a, a.parameters) for a in running}
    stretches: dict[str, dict[str, Anomaly]] = {}
    models: dict[str, dict[int, dict[str, Any]]] = {}
    for kept in records.outcomes(SERVICE, twin.uid, EARLIEST, LATEST, telling=True):
        key = kept["parameters"]
        if key not in found:
            found[key] = Watch(None, msgspec.json.decode(key))
        outcome = msgspec.json.decode(kept["outcome"], type=Outcome)
        by = Finder(SERVICE, kept["version"], key)
        for model in (r["anomaly_model"] for r in outcome.results if "anomaly_model" in r):
            models.setdefault(key, {})[model.get("version", 1)] = model
        told = [r["anomaly"] for r in outcome.results if "anomaly" in r]
        for result, finding in zip(told, outcome.findings, strict=False):
            id = by.id_of(twin.uid, finding)
            stretches.setdefault(key, {})[id] = Anomaly(
                id, finding, result.get("peak"), result.get("version", 1), result.get("units", ()), kept["to"],
                kept["revision"],
            )  # fmt: skip
    for key, watch in found.items():
        watch.models = [m for _, m in sorted(models.get(key, {}).items())]
        watch.anomalies = sorted(stretches.get(key, {}).values(), key=lambda a: -a.finding.start)
        watch.until = records.outcomes_until(SERVICE, twin.uid, key)
    return list(found.values())
