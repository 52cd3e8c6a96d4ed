"""Events and daily means of machines as a set to learn from, and what makes such a set useless."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import numpy as np

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.observation import Bools, Floats
from servitwin.domain.remaining_life.lives import beyond_others, flags_the_end, levels, longest_still, ranks

FEWEST_FAILURES = 10
FEWEST_FAILING = 2  # machines on which a component failed: each is judged by what others teach
FEWEST_MACHINES = 10  # to tell an odd sensor from the others
FLAG_VALUES = 3
TO_THE_MINUTE = 1.5 / 1440  # days
NEARLY_ALL = 0.95
JUMP = 6.0  # standard deviations
USUAL = 28  # days before a missing one of which the median stands for it; the live service keeps more


class MachineEvents(msgspec.Struct, frozen=True):
    """A machine over whole days, the first is day 0. Events are at days with fractions, also before day 0.

    ``means``: a row of daily means of the signals per day (null: not measured); ``facts``: numbers of the machine.
    ``first_day``: number of day 0 since 1970 UTC; 0: not known. ``owner``: party that uses the machine.
    """

    id: str
    means: list[list[float | None]]
    errors: dict[str, list[float]] = {}
    replaced: dict[str, list[float]] = {}
    failed: dict[str, list[float]] = {}
    facts: dict[str, float] = {}
    owner: str = ""
    first_day: int = 0


class EventSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A set to learn from. ``horizon``: days; costs of a planned replacement and of a failure, in ``currency``.

    Without a currency the costs are a ratio, and nothing is told in money. ``incumbent``: the artefact in use, base64:
    its model of this machine type is judged on days that neither it nor the new one has learnt from. ``given_up``:
    components that it knows and that nobody watches any more; others it must not lose.
    """

    machine_type: str
    components: list[str]
    signals: list[str]
    machines: list[MachineEvents]
    errors: list[str] = []
    facts: list[str] = []
    horizon: int = 2
    preventive_cost: float = 1.0
    failure_cost: float = 5.0
    currency: str = ""
    folds: int = 5
    incumbent: str = ""
    given_up: list[str] = []


def read_events(dataset: Mapping[str, Any]) -> EventSet:
    """Check a set.

    Raises:
        InvalidInputError: all that is wrong: its shape, names that are not declared, too few failures,
            columns and errors that were made from the failures.
    """
    try:
        found = msgspec.convert(dataset, EventSet)
    except msgspec.ValidationError as e:
        hint = "Give machine_type, components, signals and machines with daily means and events"
        raise InvalidInputError(Fault("horizon:wrong-shape", str(e), hint, "dataset")) from e
    faults = []
    ids = [m.id for m in found.machines]
    faults += [
        Fault("horizon:machine-twice", f"Machine {i!r} comes twice", "Name each machine once", i)
        for i in sorted({i for i in ids if ids.count(i) > 1})
    ]
    for m in found.machines:
        if any(len(row) != len(found.signals) for row in m.means):
            message = f"A day of {m.id!r} has not {len(found.signals)} means"
            faults.append(Fault("horizon:row-length", message, "Give each day a mean of each signal", m.id))
        for what, names, known in (
            ("component", {*m.replaced, *m.failed}, found.components), ("error", set(m.errors), found.errors),
        ):  # fmt: skip
            strange = sorted(names - set(known))
            if strange:
                message = f"{m.id!r} has a {what} {strange[0]!r} that is not declared"
                faults.append(Fault("horizon:not-declared", message, f"Name it among the {what}s", m.id))
    faults += _too_few(found.components, found.machines)
    if not (found.preventive_cost > 0 and found.failure_cost > 0 and 1 <= found.horizon <= 90 and found.folds >= 2):
        hint = "Costs above zero, a horizon of 1 to 90 days, at least two folds"
        faults.append(Fault("horizon:out-of-range", "Costs, horizon or folds are out of range", hint, "horizon"))
    faults = faults or _leaks(found)
    if faults:
        raise InvalidInputError(faults)
    return found


def usable_machines(found: EventSet) -> tuple[list[MachineEvents], list[Fault]]:
    """Machines without those of which a sensor is stuck, whose unit changes half-way, or that were seen for too short.

    Why each is left out comes with them.

    Raises:
        InvalidInputError: ``horizon:too-few-failures``, ``horizon:too-few-machines`` among the rest, with what was
            left out.
    """
    odd = {m.id: _too_short(m, found.horizon) for m in found.machines if len(m.means) <= found.horizon}
    means = [day_means(m, len(found.signals)) for m in found.machines]
    for j, name in enumerate(found.signals):
        series = [(m, one[:, j][~np.isnan(one[:, j])]) for m, one in zip(found.machines, means, strict=True)]
        series = [(m, values) for m, values in series if len(values) >= 2]
        if len(series) < FEWEST_MACHINES:
            continue
        still = [longest_still(values) for _, values in series]
        usual = float(np.quantile(still, 0.8))
        for (m, values), run in zip(series, still, strict=True):
            if run > max(7.0, 4 * usual) and usual < 0.2 * len(values):
                message = f"{name!r} of {m.id!r} had the same mean on {run} days and the machine was left out"
                hint = f"Elsewhere it does for {usual:.0f} days at most: look at the sensor"
                odd.setdefault(m.id, Fault("horizon:sensor-stuck", message, hint, f"{m.id}.{name}"))
        spread = float(np.median([values.std() for _, values in series])) or 1.0
        jump, bottom, top = np.array([levels(values[:, None] / spread)[:, 0] for _, values in series]).T
        often, alone = float(np.quantile(jump, 0.8)), beyond_others(bottom, top)
        for (m, _), size, beyond in zip(series, jump, alone, strict=True):
            if size > max(JUMP, 4 * often) and beyond:
                message = f"{name!r} of {m.id!r} changes by {size:.1f} standard deviations at once: left out"
                hint = "Its unit or its sensor was changed half-way: convert the earlier days"
                odd.setdefault(m.id, Fault("horizon:unit-changed", message, hint, f"{m.id}.{name}"))
    left_out, usable = list(odd.values()), [m for m in found.machines if m.id not in odd]
    faults = _too_few(found.components, usable)
    if faults:
        raise InvalidInputError([*faults, *left_out])
    return usable, left_out


def _too_few(components: list[str], machines: list[MachineEvents]) -> list[Fault]:
    faults = []
    for c in components:
        count = sum(len(m.failed.get(c, [])) for m in machines)
        if count < FEWEST_FAILURES:
            message = f"{c!r} failed {count} times, {FEWEST_FAILURES} failures are needed"
            hint = "Gather more, or plan by age until there are" if count else "Nothing was seen to fail: leave it out"
            faults.append(Fault("horizon:too-few-failures", message, hint, c))
        else:
            faults += too_few_machines(c, machines)
    return faults


def too_few_machines(component: str, machines: Iterable[MachineEvents]) -> list[Fault]:
    """``horizon:too-few-machines`` where the failures of a component are those of one machine alone."""
    failing = [m.id for m in machines if m.failed.get(component)]
    if len(failing) >= FEWEST_FAILING:
        return []
    message = f"{component!r} failed on {failing[0]!r} alone" if failing else f"{component!r} failed on no machine"
    hint = "A machine is judged by what others teach: wait until it has failed on another, or plan by age"
    return [Fault("horizon:too-few-machines", message, hint, component)]


def _too_short(machine: MachineEvents, horizon: int) -> Fault:
    message = f"{machine.id!r} was seen for {len(machine.means)} days and was left out"
    hint = f"It takes more than the horizon of {horizon} days to see what follows"
    return Fault("horizon:seen-too-short", message, hint, machine.id)


def usual_days(means: Floats) -> Floats:
    """Daily means of one signal, each missing one as usual in the four weeks before it; nan: nothing was known then."""
    found = means.copy()
    for day in np.flatnonzero(np.isnan(means)).tolist():
        known = means[max(0, day - USUAL) : day]
        known = known[~np.isnan(known)]
        if len(known):
            found[day] = np.median(known)
    return found


def day_means(machine: MachineEvents, signals: int) -> Floats:
    """Daily means (days, signals), nan where nothing was measured."""
    rows = np.array([[np.nan if v is None else v for v in row] for row in machine.means], np.float64)
    return rows.reshape(len(machine.means), signals)


def _leaks(found: EventSet) -> list[Fault]:
    """Columns and errors that tell failures as nothing measured can: a countdown, a flag, an error made from them."""
    faults = []
    means = [day_means(m, len(found.signals)) for m in found.machines]
    rows = np.concatenate(means) if means else np.zeros((0, len(found.signals)))
    for c in found.components:
        left = np.concatenate([_days_left(m, c) for m in found.machines])
        failing = np.isfinite(left)
        for name, column in zip(found.signals, rows.T, strict=True):
            part = failing & ~np.isnan(column)
            if _tells(column, left, part):
                message = f"{name!r} is the time to the failure of {c!r} itself, or made from it"
                hint = "It will not be known before the failure: leave it out"
                faults.append(Fault("horizon:label-leaks", message, hint, name))
        for e in found.errors:
            lead = _fixed_lead(found.machines, e, c)
            if lead is not None:
                message = f"{e!r} comes {lead * 24:.1f} h before each failure of {c!r}, to the minute, and never else"
                hint = "It was made from the failures: leave it out, or give the times at which it was reported"
                faults.append(Fault("horizon:label-leaks", message, hint, e))
    return faults


def _tells(column: Floats, left: Floats, failing: Bools) -> bool:
    own = column[failing]
    if len(own) < FEWEST_FAILURES or len(np.unique(own)) < 2:
        return False
    if len(np.unique(own)) <= FLAG_VALUES:
        known = ~np.isnan(column)
        return flags_the_end(column[known], np.where(np.isfinite(left), np.ceil(left), 1e9)[known])
    return abs(float(np.corrcoef(ranks(own), ranks(left[failing]))[0, 1])) > 0.999


def _days_left(machine: MachineEvents, component: str) -> Floats:
    """Days from the end of each day to the next failure of a component; infinity: none follows."""
    at = np.append(np.sort(np.array(machine.failed.get(component, []), np.float64)), np.inf)
    end = np.arange(1, len(machine.means) + 1, dtype=np.float64)
    return np.asarray(at[np.searchsorted(at, end, side="right")] - end)


def _fixed_lead(machines: list[MachineEvents], error: str, component: str) -> float | None:
    """The time by which an error goes before nearly each failure, if it is always the same and it comes at no other."""
    leads: list[float] = []
    failures = errors = 0
    for m in machines:
        at = np.sort(np.array(m.errors.get(error, []), np.float64))
        errors += len(at)
        for t in m.failed.get(component, []):
            failures += 1
            before = at[at < t - TO_THE_MINUTE]
            if len(before):
                leads.append(t - float(before[-1]))
    if len(leads) < max(FEWEST_FAILURES, NEARLY_ALL * failures):
        return None
    middle = float(np.median(leads))
    same = int((np.abs(np.array(leads) - middle) <= TO_THE_MINUTE).sum())
    return middle if same >= NEARLY_ALL * max(failures, errors) else None
