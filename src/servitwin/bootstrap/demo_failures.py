"""The demo's failures within days: the maker learns from its records of other mills, and watches those of the plant."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from servitwin.domain.instant import DAY, NS
from servitwin.domain.job import Job
from servitwin.usecases.assign_service import Assignment, assignments, keep_assignments
from servitwin.usecases.ports import Files, Records

_MILLS, _MAKER, _BY = ("mill-1", "mill-2", "mill-3"), "aurora", "hanna"
_RECORDED, _DAYS, _SEED = 40, 150, 11
_PUMP, _BEARING = "coolant pump", "spindle bearing"
# Component: scale (days) and shape of its Weibull life, the warning before its end, days in which that comes.
_WEARING = {_PUMP: (45.0, 2.5, "coolant pressure low", 3.0), _BEARING: (80.0, 3.0, "spindle vibration high", 5.0)}
_WATCH: dict[str, Any] = {
    "means": {"spindle temperature": "spindle.temperature"},
    "errors": {
        "coolant pressure low": {"signal": "coolant.condition", "says": "warning"},
        "spindle vibration high": {"signal": "spindle.condition", "says": "warning"},
    },
    "failed": {
        _PUMP: {"signal": "coolant.condition", "says": "fault"},
        _BEARING: {"signal": "spindle.condition", "says": "fault"},
    },
}


def add_demo_failures(records: Records, files: Files, now: int) -> list[str]:
    """Let the training wait and the mills be watched, once; returns what to tell the visitor."""
    if records.setting("demo-failures") is not None:
        return []
    records.set_setting("demo-failures", "assigned")
    content = msgspec.json.encode(recorded_mills(), order="deterministic")
    records.save_job(
        Job("demo-failures-mill-500", "failure_horizon", "0.1.0", "trainer", _MAKER, _BY, now, files.put(content),
            120 * NS, 1, "failures of mill-500")
    )  # fmt: skip
    known = {t.id: t.uid for t in records.twins()}
    since = now // DAY * DAY - 3 * DAY  # whole days, as far back as the demo fills in what machines said
    wanted = [Assignment("failure_watch", known[m], since, _WATCH) for m in _MILLS if m in known]
    keep_assignments(records, [*assignments(records), *wanted])
    return [f"demo failures: pump and bearing of the mills, learnt from simulated records of {_RECORDED} other mills"]


def recorded_mills() -> dict[str, Any]:
    """Simulated records of mills elsewhere: wear-out lives, warnings that mostly come before, some without cause."""
    machines = [_mill(k, np.random.default_rng((_SEED, k))) for k in range(_RECORDED)]
    return {
        "machine_type": "mill-500", "components": list(_WEARING), "signals": ["spindle temperature"],
        "errors": [w[2] for w in _WEARING.values()], "machines": machines, "horizon": 2, "preventive_cost": 640.0,
        "failure_cost": 4100.0, "currency": "EUR",
    }  # fmt: skip


def _mill(k: int, random: np.random.Generator) -> dict[str, Any]:
    warm = random.normal(33, 3) + random.normal(0, 1.5, _DAYS)
    errors: dict[str, list[float]] = {}
    failed: dict[str, list[float]] = {}
    for component, (mean, shape, warning, ahead) in _WEARING.items():
        times, at = [], -random.uniform(0, mean)
        while (at := at + random.weibull(shape) * mean) < _DAYS:
            if at > 0:
                times.append(round(float(at), 3))
        told = [t - random.uniform(0, ahead) for t in times for _ in range(random.poisson(2.5))]
        told += random.uniform(0, _DAYS, random.poisson(_DAYS / 30)).tolist()  # a dip that means nothing
        errors[warning] = sorted(round(float(t), 3) for t in told if 0 < t < _DAYS)
        failed[component] = times
        if component == _BEARING:
            for t in times:
                days = np.arange(max(0, int(t - ahead)), int(t))
                warm[days] += 2.5 * (days - (t - ahead))
    means = [[round(float(v), 2)] for v in warm]
    return {"id": f"recorded-{k + 1:02}", "owner": _MAKER, "means": means, "errors": errors, "failed": failed}
