"""How a component is followed: which signals, what counts as use, what begins a new life. Parameters of the service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import NS, parse_duration
from servitwin.domain.machine_type import MachineType
from servitwin.domain.money import money
from servitwin.domain.remaining_life.use_rows import RowSpec

SHORTEST = NS


class Assigned(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of the service ``remaining_life`` on one machine.

    Attributes:
        component: what is followed; settings, signals: columns of a row, as the model names them.
        every: time in use that a row stands for (``5m``).
        in_use: signal that is above zero while the component is in use; renewed: signal whose change begins a new life.
        names: signal of the twin for a column, where it has another name.
        preventive_cost, failure_cost, currency: of a planned replacement and of a failure, as decimals ("45.00"), and
            their ISO 4217 currency: what acting on predictions costs is then told in money.
        warn: units of life: an event is sent when the lower end of the interval falls to it.
    """

    component: str
    signals: list[str]
    settings: list[str] = []
    every: str = "5m"
    in_use: str = ""
    renewed: str = ""
    names: dict[str, str] = {}
    warn: float | None = None
    preventive_cost: str = ""
    failure_cost: str = ""
    currency: str = ""

    @property
    def costs(self) -> tuple[float, float, str] | None:
        """The costs as numbers for rates, with their currency; None: not given."""
        if not self.currency:
            return None
        return float(self.preventive_cost), float(self.failure_cost), self.currency

    def spec(self, type: MachineType | None) -> RowSpec:
        """How rows are made of the twin's signals."""
        columns = tuple(self.names.get(n, n) for n in (*self.settings, *self.signals))
        known = {s.name: s.reporting.max_gap for s in type.signals} if type else {}
        wanted = {n: known.get(n) for n in (*columns, self.in_use) if n}
        return RowSpec(columns, parse_duration(self.every), self.in_use, self.renewed, wanted)

    def units(self, type: MachineType | None) -> dict[str, str]:
        """Unit of each model's signal on this machine, as far as its type says."""
        known = {s.name: s.unit for s in type.signals} if type else {}
        found = {n: known.get(self.names.get(n, n)) for n in self.signals}
        return {n: unit for n, unit in found.items() if unit}


def read_assigned(parameters: Mapping[str, Any]) -> Assigned:
    """The parameters as they came in.

    Raises:
        InvalidInputError: all that is wrong with them.
    """
    faults = assigned_faults(parameters)
    if faults:
        raise InvalidInputError(faults)
    return msgspec.convert(dict(parameters), Assigned)


def assigned_faults(parameters: Mapping[str, Any]) -> Sequence[Fault]:
    """All faults of the parameters."""
    try:
        found = msgspec.convert(dict(parameters), Assigned)
    except msgspec.ValidationError as e:
        hint = "Give component and signals; settings, every, in_use, renewed, names and warn where they differ"
        return [Fault("life:parameters", str(e), hint, "parameters")]
    faults = []
    if not found.component:
        faults.append(Fault("life:component-empty", "component is empty", "Name what is followed", "component"))
    columns = [*found.settings, *found.signals]
    if not found.signals or len(set(columns)) < len(columns):
        message = f"signals are {found.signals}, settings {found.settings}"
        faults.append(Fault("life:signals-not-named", message, "Name at least one signal, each once", "signals"))
    try:
        if parse_duration(found.every) < SHORTEST:
            faults.append(Fault("life:row-too-short", f"every is {found.every}", "At least one second", "every"))
    except InvalidInputError as e:
        faults.append(Fault(e.fault.code, e.fault.message, e.fault.hint, "every"))
    if found.preventive_cost or found.failure_cost or found.currency:
        faults += cost_faults(found.preventive_cost, found.failure_cost, found.currency)
    if found.warn is not None and not found.warn >= 0:
        faults.append(Fault("life:warn", f"warn is {found.warn}", "Give units of life, at least 0", "warn"))
    return faults


def cost_faults(preventive: str, failure: str, currency: str) -> list[Fault]:
    """What is wrong with two costs and their currency, which come together or not at all."""
    faults = []
    for name, amount in (("preventive_cost", preventive), ("failure_cost", failure)):
        try:
            if money(amount, currency).amount <= 0:
                hint = "Give both costs above zero with their currency, or none"
                faults.append(Fault("life:costs", f"{name} is {amount}", hint, name))
        except InvalidInputError as e:
            where = "currency" if e.fault.code == "money:currency-unknown" else name
            faults.append(Fault(e.fault.code, e.fault.message, e.fault.hint, where))
    return faults
