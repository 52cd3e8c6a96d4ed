"""The demo traces its parts: which services run on mills and cell, with the tolerances of the drawings."""

from __future__ import annotations

import msgspec

from servitwin.connectors.simulator.made_part import FEATURES, ROUGHEST_UM
from servitwin.connectors.simulator.plant import SimulatorConfig, past_range
from servitwin.usecases.assign_service import Assignment, assignments, keep_assignments
from servitwin.usecases.kept_plants import connections
from servitwin.usecases.ports import Records

_CHARTED = ("bore", "housing")  # the characteristic and product that are watched as parts are made


def add_demo_quality(records: Records, now: int) -> list[str]:
    """Let the services run that trace parts and watch one characteristic; returns what to tell the visitor."""
    if records.setting("demo-quality") is not None:
        return []
    records.set_setting("demo-quality", "assigned")
    wanted: list[Assignment] = []
    for connection in connections(records):
        if connection.connector != "simulator":
            continue
        config = msgspec.convert(dict(connection.config), SimulatorConfig, strict=False)
        _, since = past_range(config, now)
        for machine in config.machines:
            twin = records.twin(machine.twin)
            if twin is None or machine.model not in ("mill", "cell"):
                continue
            tolerances = {"tolerances": _tolerances()} if machine.model == "mill" else {}
            wanted.append(Assignment("part_trace", twin.uid, since, tolerances))
            if machine.model == "mill":
                wanted.append(Assignment("process_control", twin.uid, since, _chart()))
    keep_assignments(records, [*assignments(records), *wanted])
    return ["demo quality: parts of mills and cell are traced, the bore of housings is under process control"]


def _limits(product: str, name: str) -> tuple[float, float]:
    feature = FEATURES[product][name]
    return round(feature.nominal - feature.half, 6), round(feature.nominal + feature.half, 6)


def _tolerances() -> dict[str, dict[str, list[float | None]] | list[float | None]]:
    names = sorted({name for features in FEATURES.values() for name in features})
    by_product: dict[str, dict[str, list[float | None]] | list[float | None]] = {
        f"part.{name}": {product: list(_limits(product, name)) for product in FEATURES} for name in names
    }
    return {**by_product, "part.roughness": [None, ROUGHEST_UM]}


def _chart() -> dict[str, str | float]:
    name, product = _CHARTED
    lower, upper = _limits(product, name)
    return {"signal": f"part.{name}", "product": product, "lower": lower, "upper": upper}
