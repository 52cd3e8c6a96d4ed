"""What watched machines of a type have to teach, as a set that the trainer of failures within days reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from servitwin.domain.error import Fault
from servitwin.domain.failure_events import FEWEST_FAILURES, MachineEvents, too_few_machines
from servitwin.domain.failure_horizon import HorizonModel
from servitwin.domain.instant import DAY
from servitwin.domain.watched_failures import Watched
from servitwin.usecases.life_teachers import Teacher

HORIZON = 2  # days, until somebody asks for others
MOST_BYTES = 55_000_000  # of machines in a set; the model in use comes on top, within what a job may have
_PLACES = 6  # of daily means: no sensor says more


class WatchedType(msgspec.Struct, frozen=True):
    """Machines of a type that are watched alike.

    Attributes:
        watched: how the first of them is; teachers: whether each machine may teach.
        machines: days of those that may, by id of the twin.
    """

    machine_type: str
    watched: Watched
    teachers: list[Teacher]
    machines: dict[str, MachineEvents]

    @property
    def failures(self) -> dict[str, int]:
        """Of each component, on machines that may teach."""
        every = self.machines.values()
        return {c: sum(failures_of(m).get(c, 0) for m in every) for c in sorted(self.watched.failed)}

    @property
    def taught(self) -> list[str]:
        """Components that failed often enough, and on machines enough, to be learnt of."""
        return [c for c, count in self.failures.items() if count >= FEWEST_FAILURES and not self._alone(c)]

    @property
    def ends(self) -> list[int]:
        """When components that can be learnt of failed, ns UTC."""
        return [
            (m.first_day * DAY) + round(t * DAY)
            for c in self.taught
            for m in self.machines.values()
            for t in m.failed.get(c, [])
            if t >= 0
        ]

    def too_few(self) -> list[Fault]:
        """Why nothing can be learnt of each component."""
        hint = "Name under failed which signal tells of failures"
        if not self.failures:
            return [Fault("horizon:too-few-failures", f"No signal tells of failures of a {self.machine_type}", hint)]
        hint, found = "Plan by age until there are; days of the last two years teach", list[Fault]()
        for c, count in self.failures.items():
            message = f"{c!r} failed {count} times on machines that may teach, {FEWEST_FAILURES} failures are needed"
            few = count < FEWEST_FAILURES
            found += [Fault("horizon:too-few-failures", message, hint, c)] if few else self._alone(c)
        return found

    def _alone(self, component: str) -> list[Fault]:
        return too_few_machines(component, (_since_first_day(m, [component]) for m in self.machines.values()))


def failures_of(machine: MachineEvents) -> dict[str, int]:
    """Failures of each component since the machine's first day."""
    return {c: sum(t >= 0 for t in times) for c, times in machine.failed.items()}


def that_fit(one: WatchedType, most: int = MOST_BYTES) -> tuple[WatchedType, int | None]:
    """The machines with as many of their last days as fit into so many bytes; how many those are, None: all."""
    rounded = {id: _rounded(m) for id, m in one.machines.items()}
    size = {id: len(msgspec.json.encode(m)) / max(len(m.means), 1) for id, m in rounded.items()}
    low, high = 0, max((len(m.means) for m in rounded.values()), default=0)
    whole = high
    while low < high:
        days = (low + high + 1) // 2
        if sum(min(days, len(m.means)) * size[id] for id, m in rounded.items()) <= most:
            low = days
        else:
            high = days - 1
    cut = {id: _last_days(m, low) for id, m in rounded.items()}
    return msgspec.structs.replace(one, machines=cut), None if low == whole else low


def dataset(
    one: WatchedType, model: HorizonModel | None, incumbent: str, horizon: int | None,
    costs: tuple[float, float, str] | None,
) -> dict[str, Any]:  # fmt: skip
    """The set. ``horizon`` (days) and ``costs`` are those of the ``model`` in use, where they are not given.

    ``incumbent``: the book with that model alone, base64.
    """
    if costs is None:
        kept = None if model is None else (model.preventive_cost, model.failure_cost, model.currency)
        costs = kept or (1.0, 5.0, "")  # a ratio alone, until somebody gives money
    given_up = sorted(set(model.components) - set(one.watched.failed)) if model is not None else []
    return {
        "machine_type": one.machine_type, "components": one.taught, "signals": sorted(one.watched.means),
        "errors": sorted(one.watched.errors), "facts": sorted(one.watched.facts),
        "machines": [msgspec.to_builtins(_since_first_day(m, one.taught)) for m in one.machines.values()],
        "horizon": horizon or (model.horizon if model is not None else HORIZON),
        "incumbent": incumbent, "given_up": given_up,
        **dict(zip(("preventive_cost", "failure_cost", "currency"), costs, strict=True)),
    }  # fmt: skip


def _since_first_day(machine: MachineEvents, components: Sequence[str]) -> MachineEvents:
    """A machine with what is known of these components; failures before its first day are renewals alone."""
    failed = {c: [t for t in machine.failed.get(c, []) if t >= 0] for c in components}
    earlier = {c: [t for t in machine.failed.get(c, []) if t < 0] for c in components}
    replaced = {c: sorted([*machine.replaced.get(c, []), *earlier[c]]) for c in components}
    return msgspec.structs.replace(machine, failed=failed, replaced=replaced)


def _rounded(machine: MachineEvents) -> MachineEvents:
    means = [[None if v is None else float(f"{v:.{_PLACES}g}") for v in row] for row in machine.means]
    return msgspec.structs.replace(machine, means=means)


def _last_days(machine: MachineEvents, days: int) -> MachineEvents:
    """The machine as if it had been seen from so many days before its last one; its events stay."""
    drop = len(machine.means) - days
    if drop <= 0:
        return machine

    def moved(events: dict[str, list[float]]) -> dict[str, list[float]]:
        return {n: [round(t - drop, 6) for t in times] for n, times in events.items()}

    return msgspec.structs.replace(
        machine, means=machine.means[drop:], errors=moved(machine.errors), replaced=moved(machine.replaced),
        failed=moved(machine.failed), first_day=machine.first_day + drop if machine.first_day else 0,
    )  # fmt: skip
