"""Run services on twins: step by step as data come, again from the last good snapshot when data come late."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import msgspec

from servitwin.domain.error import (
    ConflictError,
    Fault,
    InvalidInputError,
    NotFoundError,
    ServitwinError,
    UnavailableError,
)
from servitwin.domain.instant import HOUR
from servitwin.domain.observation import Series
from servitwin.domain.state_time_track import observations_of
from servitwin.sdk.finding import ServiceFinding, finding_faults, last_told
from servitwin.sdk.manifest import Manifest
from servitwin.sdk.service import Outcome
from servitwin.usecases.assign_service import Assignment, assign_service, assignments, withdraw_service
from servitwin.usecases.keep_findings import Finder, KeepFindings, Message
from servitwin.usecases.keep_results import traces_of
from servitwin.usecases.machine_changes import MachineChanges
from servitwin.usecases.ports import Files, HistoryReader, Records
from servitwin.usecases.registry import Registry
from servitwin.usecases.service_ports import ServiceHost, StepRequest
from servitwin.usecases.service_round import Ahead, Pair, Round, Stood, Work, earliest_news, read_together
from servitwin.usecases.service_view import ServiceViews, signals_read
from servitwin.usecases.step_batch import TOGETHER, MadeStep, keep_step, keep_together
from servitwin.usecases.tell_crossings import tell_crossings

log = logging.getLogger("servitwin.services")
_FIRST_REVISION = 0
READ_AHEAD = 200  # assignments whose data are read in one question
LONGEST_AHEAD = HOUR  # and no more of each, so that a long catching up needs no more memory than before


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
        findings: KeepFindings,
        publish: Callable[[str, bytes], None],
        files: Files | None = None,
        operator: Callable[[], str] = str,
    ) -> None:
        """``publish`` may be called from any thread that advances; ``files``, ``operator``: :class:`ServiceViews`."""
        self._history, self._records, self._registry, self._host = history, records, registry, host
        self._findings, self._publish, self._changes = findings, publish, MachineChanges(records)
        self._views = ServiceViews(registry, records, files, operator)
        self._operator = operator
        self._stood: dict[tuple[str, ...], Stood] = {}  # kept so that whoever is not due costs no question
        self._tidied = 0
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
        if now - self._tidied >= HOUR:
            self._tidied = now
            self._tell(self._findings.close_over(now))
        wanted = [a for a in assignments(self._records) if lane is None or self._host.lane(a.service) == lane]
        if not wanted:
            return 0  # and history need not be opened
        steps = 0
        round = Round(self._history, self._changes.recorded(), self._records.all_gaps(), self._history.cut(), now)
        for first in range(0, len(wanted), READ_AHEAD):
            group = wanted[first : first + READ_AHEAD]
            try:
                ahead = self._read_ahead(group, round)
            except Exception as e:  # noqa: BLE001 - then each reads alone, and says what is wrong with it
                log.info("data cannot be read together: %s", e)
                ahead = Ahead()
            for part in range(0, len(group), TOGETHER):
                steps += self._advance_together(group[part : part + TOGETHER], round, ahead)
        return steps

    def _advance_together(self, group: Sequence[Assignment], round: Round, ahead: Ahead) -> int:
        quiet: list[MadeStep] = []
        steps = sum(self._guarded(a, partial(self._advance, a, round, ahead, quiet)) for a in group)
        return steps - (self._keep_quiet(quiet) if quiet else 0)

    def _keep_quiet(self, steps: Sequence[MadeStep]) -> int:
        """Keep steps that nobody is told of at once; how many could not be kept."""
        try:
            return len(steps) - self._keep_all(steps)
        except Exception as e:  # noqa: BLE001 - then each is kept alone, and says what is wrong with it
            log.info("steps cannot be kept together: %s", e)
            return len(steps) - sum(self._guarded(s.work.a, partial(self._keep_all, [s])) for s in steps)

    def _keep_all(self, steps: Sequence[MadeStep]) -> int:
        said = keep_together(self._records, steps)
        for made in steps:
            self._stands(made)
        self._tell(said)
        return len(steps)

    def _stands(self, made: MadeStep) -> None:
        w = made.work
        cut, known = msgspec.json.encode(w.cut).decode(), frozenset(made.outcome.changes)
        self._stood[w.key] = Stood(made.interval[1], cut, known)

    def _guarded(self, a: Assignment, work: Callable[[], int]) -> int:
        """What ``work`` counts; a failure is the assignment's own, and counts nothing."""
        name = f"{a.service} on {a.twin}"
        try:
            steps = work()
            self.failures.pop(name, None)
            return steps
        except (InvalidInputError, NotFoundError, ConflictError) as e:
            self.failures[name] = str(e)
        except Exception as e:  # noqa: BLE001 - a service is foreign code: whatever it raises is its own failure
            if self.failures.get(name) != str(e):
                log.warning("%s failed: %s", name, e)
            self.failures[name] = str(e)
        return 0

    def _read_ahead(self, group: Sequence[Assignment], round: Round) -> Ahead:
        """What the next steps of a group read, in one question where they are of the same short interval."""
        due: dict[tuple[int, int], list[Work]] = {}
        for w in (self._work(a, round) for a in group):
            if w is None:
                continue
            stood = self._stood.get(w.key) or self._look(w)
            if stood is not None and stood.end < w.watermark <= stood.end + LONGEST_AHEAD:
                due.setdefault((stood.end, w.watermark), []).append(w)
        wanted = {span: {w.key: self._pairs(w, span[0]) for w in works} for span, works in due.items()}
        return read_together(self._history, self._records, wanted, round.cut)

    def _pairs(self, w: Work, at: int) -> list[Pair]:
        return [(w.a.twin, s) for s in signals_read(self._registry, w.manifest, w.twin, w.a.parameters, at)]

    def _work(self, a: Assignment, round: Round) -> Work | None:
        manifest, twin = self._host.manifests().get(a.service), self._registry.by_uid(a.twin)
        if manifest is None or twin is None:
            return None
        changes = self._changes.of(twin, round.changes)
        return Work(a, manifest, twin, changes, tuple(round.gaps.get(a.twin, ())), round.cut, round.now)

    def _advance(self, a: Assignment, round: Round, ahead: Ahead, quiet: list[MadeStep]) -> int:
        """Steps of one assignment; its last one, where nobody is told of it, is left to ``quiet`` to be kept."""
        w = self._work(a, round)
        if w is None:
            raise NotFoundError(Fault("service:unknown", f"{a.service} or its twin is gone", "Withdraw it"))
        stood = self._stood.get(w.key) or self._look(w)
        earliest = None if stood is None else earliest_news(a.twin, w.changes, stood, round)
        if stood is not None and earliest is None and w.watermark <= stood.end:
            return 0
        self._stood.pop(w.key, None)  # until what follows is kept
        steps = 0 if earliest is None else self._redo(w, earliest)
        snapshot = ahead.snapshots.get(w.key) if stood is not None and earliest is None else None
        if stood is not None and snapshot is not None:
            start = stood.end
        else:
            last = self._records.latest_snapshot(a.service, w.manifest.version, a.twin, a.parameters_key, round.now)
            start, snapshot = (a.since, None) if last is None else (last[0], last[2])
        if w.watermark > start:
            interval = start, w.until(start)
            made = self._make(w, interval, snapshot, _FIRST_REVISION, ahead.series.get((*w.key, *interval)))
            if made.quiet:
                quiet.append(made)
            else:
                self._keep(made)
            steps += 1
        return steps

    def _look(self, w: Work) -> Stood | None:
        """Where the last step of an assignment stands in the records; None: it has not begun."""
        a = w.a
        last = self._records.latest_snapshot(a.service, w.manifest.version, a.twin, a.parameters_key, w.now)
        if last is None:
            return None
        kept = next((o for o in self._outcomes(w, last[0] - 1, last[0]) if o["to"] == last[0]), None)
        known = () if kept is None else msgspec.json.decode(kept["outcome"], type=Outcome).changes
        stood = self._stood[w.key] = Stood(last[0], last[1], frozenset(known))
        return stood

    def _outcomes(self, w: Work, start: int, end: int) -> list[dict[str, Any]]:
        key = w.a.parameters_key
        return [
            o
            for o in self._records.outcomes(w.a.service, w.a.twin, start, end)
            if o["version"] == w.manifest.version and o["parameters"] == key
        ]

    def _redo(self, w: Work, earliest: int) -> int:
        """Make the steps after ``earliest`` again, each as the next revision of the same interval."""
        a = w.a
        base = self._records.latest_snapshot(a.service, w.manifest.version, a.twin, a.parameters_key, earliest)
        start = base[0] if base else a.since
        snapshot = base[2] if base else None
        later = [o for o in self._outcomes(w, start, 2**62) if o["from"] >= start]
        told: list[ServiceFinding] = []
        for place, o in enumerate(later):
            settled = start if place == len(later) - 1 else None
            interval = (o["from"], o["to"])
            made = self._make(w, interval, snapshot, o["revision"] + 1)
            self._keep(made, told, settled)
            snapshot = made.snapshot
        return len(later)

    def _make(
        self,
        w: Work,
        interval: tuple[int, int],
        snapshot: bytes | None,
        revision: int,
        series: Mapping[Pair, Series] | None = None,
    ) -> MadeStep:
        """One step over [start, end) at the cut; nothing is kept yet. ``series``: what was read ahead for it."""
        a, (start, end) = w.a, interval
        if series is None:
            # The first step also needs what held before it began.
            series = self._history.many_series(self._pairs(w, start), start, end, before=snapshot is None, cut=w.cut)
        view = self._views.view(w.twin, w.manifest, start, end, w.changes, w.gaps)
        observations = {name: observations_of(s) for (_, name), s in series.items()}
        result = self._host.step(a.service, StepRequest(view, a.parameters, snapshot, observations, end))
        outcome = result.outcome
        known = self._registry.signals(a.twin, start)
        faults = [f for one in outcome.findings for f in finding_faults(one, a.service, known, end)]
        if faults:
            raise InvalidInputError(faults)
        outcome.cut, outcome.changes = w.cut, tuple(c.id for c in w.changes if c.at < end)
        source = f"{a.service}@{w.manifest.version} {a.twin} {a.parameters_key} {start} {end}"
        traces = traces_of(outcome, w.twin, source, self._operator(), w.now)
        return MadeStep(w, interval, revision, outcome, result.snapshot, traces, source)

    def _keep(self, made: MadeStep, told: list[ServiceFinding] | None = None, settled: int | None = None) -> None:
        """Outcome, snapshot, cut and cases are saved together.

        ``told`` gathers the findings of steps that are made again; with the last of them, cases are settled from
        ``settled`` on.
        """
        w, a, end = made.work, made.work.a, made.interval[1]
        by = Finder(a.service, w.manifest.version, a.parameters_key)
        with self._records.together():
            outcome, said = keep_step(self._records, made)
            if told is None:
                said += tell_crossings(self._records, a.twin, outcome, w.now)
                said += self._findings.take(w.twin, by, outcome.findings, w.cut, end, w.now)
            else:
                told += outcome.findings
            if told is not None and settled is not None:
                last = last_told(told)
                said += self._findings.settle(w.twin, by, last, settled, w.now)
                said += self._findings.take(w.twin, by, list(last.values()), w.cut, end, w.now)
        if told is None or settled is not None:
            self._stands(made)
        self._tell(said)

    def _tell(self, said: Sequence[Message]) -> None:
        for subject, payload in said:
            self._publish(subject, payload)
