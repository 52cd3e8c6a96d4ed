"""Run services on twins: step by step as data come, again from the last good snapshot when data come late."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from servitwin.domain.calendar_shift import shift_intervals
from servitwin.domain.error import (
    ConflictError,
    Fault,
    InvalidInputError,
    NotFoundError,
    ServitwinError,
    UnavailableError,
)
from servitwin.domain.instant import DAY, parse_duration
from servitwin.domain.observation import CONNECTION, Cut, Observation
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time_track import observations_of
from servitwin.domain.twin import Twin, value_at
from servitwin.sdk.manifest import Manifest
from servitwin.sdk.service import LearntModel, Outcome, TwinView
from servitwin.usecases.jobs import in_use
from servitwin.usecases.machine_time import calendar_name
from servitwin.usecases.ports import Files, HistoryReader, Records
from servitwin.usecases.registry import Registry

log = logging.getLogger("servitwin.services")
_SETTING = "service-assignments"
_FIRST_REVISION = 0


class Assignment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A service that runs on a twin with parameters, from an instant on."""

    service: str
    twin: str  # uid
    since: int
    parameters: dict[str, Any] = {}

    @property
    def parameters_key(self) -> str:
        """Canonical text of the parameters: outcomes of other parameters are other outcomes."""
        return msgspec.json.encode(self.parameters, order="deterministic").decode()


class StepRequest(msgspec.Struct):
    """What crosses to where the service's code runs."""

    view: TwinView
    parameters: dict[str, Any]
    snapshot: bytes | None
    observations: dict[str, list[Observation]]
    watermark: int


class StepResult(msgspec.Struct):
    """What comes back: the outcome, and the snapshot from which the next step goes on."""

    outcome: Outcome
    snapshot: bytes


class ServiceHost(Protocol):
    """Runs the code of services: ours in this process, a partner's in a process of its own."""

    def manifests(self) -> Mapping[str, Manifest]:
        """Installed evaluators by name."""
        ...

    def lane(self, service: str) -> str:
        """Where its code runs: what is in one lane runs one after another, lanes do not wait for each other."""
        ...

    def check(self, service: str, parameters: Mapping[str, Any]) -> Sequence[Fault]:
        """All faults of the parameters."""
        ...

    def step(self, service: str, request: StepRequest) -> StepResult:
        """One step.

        Raises:
            ServitwinError: ``service:failed``, ``service:too-slow``, ``service:gone``.
        """
        ...


def assignments(records: Records) -> list[Assignment]:
    """All services that are to run."""
    text = records.setting(_SETTING)
    return msgspec.json.decode(text, type=list[Assignment]) if text else []


def assign_service(
    records: Records, registry: Registry, host: ServiceHost, assignment: Assignment
) -> Assignment:  # fmt: skip
    """Let a service run on a twin; the same one with other parameters runs beside it.

    Raises:
        NotFoundError: ``service:unknown``, ``twin:unknown``.
        InvalidInputError: what the service finds wrong with the parameters.
    """
    if assignment.service not in host.manifests():
        raise NotFoundError(
            Fault("service:unknown", f"No service {assignment.service!r} is installed", "See GET /services", "service")
        )
    if registry.by_uid(assignment.twin) is None:
        raise NotFoundError(Fault("twin:unknown", f"No twin {assignment.twin!r}", "See GET /twins", "twin"))
    faults = host.check(assignment.service, assignment.parameters)
    if faults:
        raise InvalidInputError(faults)
    kept = [a for a in assignments(records) if _key(a) != _key(assignment)]
    records.set_setting(_SETTING, msgspec.json.encode([*kept, assignment]).decode())
    return assignment


def withdraw_service(records: Records, service: str, twin: str) -> int:
    """Let a service run no longer on a twin; its outcomes stay. Returns how many assignments ended."""
    before = assignments(records)
    kept = [a for a in before if (a.service, a.twin) != (service, twin)]
    records.set_setting(_SETTING, msgspec.json.encode(kept).decode())
    return len(before) - len(kept)


def _key(a: Assignment) -> tuple[str, str, str]:
    return a.service, a.twin, a.parameters_key


class ServiceQuestion(msgspec.Struct, omit_defaults=True):
    """A request of ``ask.service``."""

    verb: Literal["list", "assigned", "assign", "withdraw"]
    twin: str = ""
    service: str = ""
    assignment: Assignment | None = None


class ServiceAnswer(msgspec.Struct, omit_defaults=True):
    """Its answer; with ``faults`` nothing was done, and ``error`` says of which kind they are."""

    manifests: list[Manifest] = []
    assignments: list[Assignment] = []
    failures: dict[str, str] = {}
    faults: list[Fault] = []
    error: Literal["", "invalid", "not-found", "unavailable"] = ""


def raise_answered(answer: ServiceAnswer) -> ServiceAnswer:
    """The answer, or the error that it carries."""
    if not answer.faults:
        return answer
    errors: dict[str, type[ServitwinError]] = {"not-found": NotFoundError, "unavailable": UnavailableError}
    raise errors.get(answer.error, InvalidInputError)(answer.faults)


class RunServices:
    """Brings every assignment up to the present; call :meth:`advance` for each of :meth:`lanes`, again and again."""

    def __init__(
        self,
        history: HistoryReader,
        records: Records,
        registry: Registry,
        host: ServiceHost,
        files: Files | None = None,
        operator: Callable[[], str] = str,
    ) -> None:
        """``files``: where learnt models are (none: services get none); ``operator``: who operates the node."""
        self._history, self._records, self._registry, self._host = history, records, registry, host
        self._files, self._operator = files, operator
        self.failures: dict[str, str] = {}  # "service twin" -> why, for the health page

    def handle(self, payload: bytes) -> bytes:
        """Answer a request of ``ask.service``."""
        try:
            found = self._answer(msgspec.json.decode(payload, type=ServiceQuestion))
        except msgspec.DecodeError as e:
            found = ServiceAnswer(faults=[Fault("service:wrong-shape", str(e), "Ask as ServiceQuestion")])
        except NotFoundError as e:
            found = ServiceAnswer(faults=list(e.faults), error="not-found")
        except UnavailableError as e:
            found = ServiceAnswer(faults=list(e.faults), error="unavailable")
        except ServitwinError as e:
            found = ServiceAnswer(faults=list(e.faults), error="invalid")
        return msgspec.json.encode(found)

    def _answer(self, q: ServiceQuestion) -> ServiceAnswer:
        if q.verb == "assign" and q.assignment is not None:
            assign_service(self._records, self._registry, self._host, q.assignment)
        elif q.verb == "withdraw" and not withdraw_service(self._records, q.service, q.twin):
            fault = Fault("service:not-assigned", f"{q.service!r} does not run on that twin", "See GET .../services")
            raise NotFoundError(fault)
        elif q.verb == "assigned":
            mine = [a for a in assignments(self._records) if a.twin == q.twin]
            failures = {a.service: self.failures.get(f"{a.service} on {a.twin}", "") for a in mine}
            return ServiceAnswer(assignments=mine, failures=failures)
        return ServiceAnswer(manifests=list(self._host.manifests().values()) if q.verb == "list" else [])

    def lanes(self) -> set[str]:
        """The lanes of the host in which something is to run."""
        return {self._host.lane(a.service) for a in assignments(self._records)}

    def advance(self, now: int, lane: str | None = None) -> int:
        """Step every assignment (of one lane, or all) that is due; returns how many steps were made.

        One failing service stops no other. Several lanes may be advanced at once from different threads.
        """
        wanted = [a for a in assignments(self._records) if lane is None or self._host.lane(a.service) == lane]
        if not wanted:
            return 0  # and history need not be opened
        steps = 0
        cut = self._history.cut()
        for assignment in wanted:
            name = f"{assignment.service} on {assignment.twin}"
            try:
                steps += self._advance(assignment, now, cut)
                self.failures.pop(name, None)
            except (InvalidInputError, NotFoundError, ConflictError) as e:
                self.failures[name] = str(e)
            except Exception as e:  # noqa: BLE001 - a service is foreign code: whatever it raises is its own failure
                if self.failures.get(name) != str(e):
                    log.warning("%s failed: %s", name, e)
                self.failures[name] = str(e)
        return steps

    def _advance(self, a: Assignment, now: int, cut: Cut) -> int:
        manifest = self._host.manifests().get(a.service)
        twin = self._registry.by_uid(a.twin)
        if manifest is None or twin is None:
            raise NotFoundError(Fault("service:unknown", f"{a.service} or its twin is gone", "Withdraw it"))
        cadence, lateness = parse_duration(manifest.cadence), parse_duration(manifest.lateness)
        watermark = (now - lateness) // cadence * cadence
        key = a.parameters_key
        last = self._records.latest_snapshot(a.service, manifest.version, a.twin, key, now)
        steps = 0
        if last is not None:
            changed = self._history.changed_since(_cut_of(last[1])).get(a.twin)
            if changed is not None and changed[0] < last[0]:
                steps += self._redo(a, manifest, twin, changed[0], cut)
                last = self._records.latest_snapshot(a.service, manifest.version, a.twin, key, now)
        start = a.since if last is None else last[0]
        if watermark > start:
            self._step(a, manifest, twin, (start, watermark), last[2] if last else None, cut, _FIRST_REVISION)
            steps += 1
        return steps

    def _redo(self, a: Assignment, manifest: Manifest, twin: Twin, earliest: int, cut: Cut) -> int:
        """Make the steps after ``earliest`` again, each as the next revision of the same interval."""
        key = a.parameters_key
        base = self._records.latest_snapshot(a.service, manifest.version, a.twin, key, earliest)
        start = base[0] if base else a.since
        snapshot = base[2] if base else None
        later = [
            o
            for o in self._records.outcomes(a.service, a.twin, start, 2**62)
            if o["version"] == manifest.version and o["parameters"] == key and o["from"] >= start
        ]
        for o in later:
            snapshot = self._step(a, manifest, twin, (o["from"], o["to"]), snapshot, cut, o["revision"] + 1)
        return len(later)

    def _step(
        self,
        a: Assignment,
        manifest: Manifest,
        twin: Twin,
        interval: tuple[int, int],
        snapshot: bytes | None,
        cut: Cut,
        revision: int,
    ) -> bytes:
        """One step over [start, end) at the cut; outcome, snapshot and cut are saved together."""
        start, end = interval
        signals = self._reads(manifest, twin, a, start)
        wanted = [(a.twin, name) for name in signals]
        # The first step also needs what held before it began.
        series = self._history.many_series(wanted, start, end, before=snapshot is None, cut=cut)
        view = self._view(twin, manifest, start, end)
        observations = {name: observations_of(s) for (_, name), s in series.items()}
        result = self._host.step(a.service, StepRequest(view, a.parameters, snapshot, observations, end))
        result.outcome.cut = cut
        self._records.save_outcome(
            a.service,
            manifest.version,
            a.twin,
            a.parameters_key,
            start,
            end,
            revision,
            msgspec.json.encode(cut).decode(),
            msgspec.json.encode(result.outcome),
            result.snapshot,
        )
        return result.snapshot

    def _view(self, twin: Twin, manifest: Manifest, start: int, end: int) -> TwinView:
        """The twin with the calendar that holds for it (its own or inherited), and the shifts around the step.

        Learnt models are those that the twin's owner uses; of trainers that it has none of, the operator's.
        """
        name = calendar_name(self._registry, twin, start)
        calendar = self._registry.calendar(name) if name else None
        shifts = tuple(shift_intervals(calendar, start - DAY, end)) if calendar is not None else ()
        known = msgspec.structs.replace(twin, calendar=name if calendar is not None else "")
        gaps = tuple(self._records.gaps(twin.uid))
        models = self._models(twin, manifest, start)
        return TwinView(known, self._registry.type_at(twin, start), gaps, shifts, models)

    def _models(self, twin: Twin, manifest: Manifest, at: int) -> dict[str, LearntModel]:
        found = {}
        for trainer in manifest.artefacts:
            owner = value_at(twin.owner, at) or ""
            for party in (owner, self._operator()):
                artefact = in_use(self._records, trainer, party)
                content = None if artefact is None or self._files is None else self._files.get(artefact.digest)
                if artefact is not None and content is not None:
                    found[trainer] = LearntModel(artefact.digest, content)
                    break
        return found

    def _reads(self, manifest: Manifest, twin: Twin, a: Assignment, at: int) -> list[str]:
        """Signals the manifest declares, by name or semantic id; parameters may name further ones.

        ``*`` reads all, and whether the twin was connected.
        """
        signals: Mapping[str, SignalDefinition] = self._registry.signals(twin.uid, at)
        wanted = set(manifest.reads) | {v for v in a.parameters.values() if isinstance(v, str)}
        if "*" in wanted:
            return [*signals, CONNECTION]
        return [name for name, s in signals.items() if name in wanted or s.semantic in wanted]


def _cut_of(text: str) -> Cut:
    return msgspec.json.decode(text, type=dict[int, int])
