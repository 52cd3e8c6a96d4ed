"""Settle a period of a contract, look at one that still runs, and keep what was settled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from servitwin.domain.agreement import Agreement, accepted_at
from servitwin.domain.contract import Contract
from servitwin.domain.contract_period import Period, period_of, periods
from servitwin.domain.error import ConflictError, Fault, InvalidInputError, NotFoundError
from servitwin.domain.instant import format_instant
from servitwin.domain.observation import Series
from servitwin.domain.party import Actor
from servitwin.domain.settlement import Settled, contract_end, contract_start
from servitwin.domain.settlement_inputs import (
    MachineInputs,
    SettlementInputs,
    TypeStretch,
    cut_back,
    range_to_read,
    settle_inputs,
    settle_tables,
)
from servitwin.domain.state_time import Gap
from servitwin.domain.twin import Twin
from servitwin.formats.settlement_document import Document, document_bytes, settlement_document
from servitwin.proof.log.statement import Subject
from servitwin.usecases.agree_contract import overlapping
from servitwin.usecases.audit import Audit
from servitwin.usecases.contract_access import ContractAccess
from servitwin.usecases.machine_time import (
    MachineTime,
    Sources,
    Stretch,
    calendar_name,
    declared_gaps,
    read_machines,
    type_stretches,
)
from servitwin.usecases.past_time import PastTime
from servitwin.usecases.ports import HistoryReader, Records
from servitwin.usecases.registry import Registry
from servitwin.usecases.state_evidence import StateEvidence

Observed = Mapping[str, Mapping[str, Series]]


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """A period's inputs, the observations they go with, and the result."""

    inputs: SettlementInputs
    observed: Observed
    settled: Settled

    def notes(self) -> list[str]:
        """What a reader of the figures has to know."""
        notes = []
        contract = self.inputs.contract
        for machine in self.inputs.machines:
            if contract.waits_for_acceptance and machine.accepted_at is None:
                notes.append(f"{machine.twin} is not accepted yet: the guarantee's clock has not started")
            others = {o.value for o in machine.owners} - {contract.provider, contract.customer}
            if others:
                notes.append(f"{machine.twin} belonged to {', '.join(sorted(others))} for a time, which does not count")
            types = {s.type.reference for s in machine.types if s.type is not None}
            if len(types) > 1:
                notes.append(f"{machine.twin} changed its type: {', '.join(sorted(types))}, each counts in its time")
            if not types:
                notes.append(f"{machine.twin} has no type that says what its states are: all its time is unknown")
        if contract.guarantee is not None and contract.guarantee.basis == "planned":
            missing = [m.twin for m in self.inputs.machines if m.calendar is None]
            if missing:
                notes.append(f"No calendar for {', '.join(missing)}: all calendar time counts as planned")
        return notes


class SettlePeriod:
    """Computes and keeps settlements."""

    def __init__(
        self,
        history: HistoryReader,
        registry: Registry,
        records: Records,
        access: ContractAccess,
        audit: Audit,
        now: Callable[[], int],
        evidence: StateEvidence,
        past: PastTime | None = None,
    ) -> None:
        self._past = past or PastTime()
        self._history = history
        self._registry = registry
        self._records = records
        self._access = access
        self._audit = audit
        self._now = now
        self._evidence = evidence

    def look(self, agreement: Agreement, period: Period, known_at: int | None = None) -> Gathered:
        """The period as it stands at an instant (default: now), with everything that decides it.

        Raises:
            InvalidInputError: ``contract:no-guarantee``, ``contract:not-begun``.
        """
        agreement, at = self._asked(agreement, period, known_at)
        contract = agreement.contract
        sources = Sources(self._history, self._registry, self._records, self._history.cut())
        inputs = self._inputs(agreement, period, at, sources)
        twins = [self._twin(id) for id in contract.machines]
        read = read_machines(sources, twins, inputs.start, inputs.end)
        observed = {twin.id: _series_of(read[twin.uid], inputs.end) for twin in twins}
        return Gathered(inputs, observed, settle_inputs(inputs, observed))

    def glance(
        self,
        agreement: Agreement,
        period: Period,
        known_at: int | None = None,
        among: Sequence[Agreement] | None = None,
    ) -> Gathered:
        """As :meth:`look`, without the observations: of the past what was worked out before, if it still holds.

        The results are the same; a year of a machine costs what its last day costs. ``among``: all contracts of the
        node, where the caller has read them already.
        """
        agreement, at = self._asked(agreement, period, known_at)
        sources = Sources(self._history, self._registry, self._records, self._history.cut())
        inputs = self._inputs(agreement, period, at, sources, among)
        twins = [self._twin(id) for id in agreement.contract.machines]
        found = self._past.tables(sources, twins, inputs.start, inputs.end)
        return Gathered(inputs, {}, settle_tables(inputs, {t.id: found[t.uid] for t in twins}))

    def look_back(
        self, agreement: Agreement, since: int, until: int, *, kept: bool = False, after_acceptance: bool = False
    ) -> Gathered:
        """The machines' time over a past range (ns UTC) by the contract's rules, as if they had been accepted before.

        For tests of acceptance and, by what is ``kept`` of the past, for forecasts: claims count where they fall in it.
        ``after_acceptance``: once a machine is accepted what came before counts no more (start-up is not its life).
        """
        terms = agreement.contract
        steps = self._records.acceptances(terms.id)
        if not (after_acceptance and any(accepted_at(steps, terms, twin) for twin in terms.machines)):
            terms = msgspec.structs.replace(terms, acceptance="given")
        whole = Period("history", format_instant(since)[:10], format_instant(until)[:10], since, until)
        assumed = msgspec.structs.replace(agreement, contract=terms)
        return self.glance(assumed, whole, until) if kept else self.look(assumed, whole, until)

    def settle(self, id: str, period_id: str, actor: Actor) -> Document:
        """Settle a period that has ended, or correct its settlement by a new one if late data changed it.

        Nothing that was settled is edited: a correction is a new revision that names the digest of the one before.
        The same data again give the settlement that is there.

        Raises:
            ConflictError: ``settlement:period-runs``, ``settlement:not-binding``.
        """
        agreement = self._access.measured(actor, id)
        contract = agreement.contract
        self._access.require(actor, "settle", contract)
        period = period_of(contract, period_id)
        now = self._now()
        if now < period.end:
            raise ConflictError(
                Fault("settlement:period-runs", f"Period {period.id} has not ended", "Look at its status until then")
            )
        if not agreement.binding:
            raise ConflictError(
                Fault(
                    "settlement:not-binding",
                    f"{contract.reference} is not signed by both parties: it runs as a trial, without money",
                    "Its status shows what it would be worth; sign it to settle from then on",
                )
            )
        found = self.look(agreement, period, now)
        earlier = self._records.settlements(contract.id, period.id)
        corrects = earlier[-1]["digest"] if earlier else None
        document = settlement_document(
            found.inputs, found.observed, found.settled, agreement.signatures, len(earlier) + 1, corrects
        )
        if earlier:
            last = self.settlement(contract.id, period.id)
            if _same_result(last, document):
                return last
        with self._records.together():
            kept = self._records.add_settlement(
                contract.id, period.id, len(earlier) + 1, document["digest"], now, document_bytes(document)
            )
            if kept:
                said = {"period": period.id, "revision": len(earlier) + 1, "digest": document["digest"]}
                by = self._access.operator() or contract.provider
                self._evidence.state("settlement", Subject(contract=contract.id), now, said, by)
        if not kept:
            raise ConflictError(
                Fault("settlement:settled-meanwhile", "Somebody settled this period just now", "Read it again")
            )
        self._audit.note(
            actor, "period.settle", contract.id, {"period": period.id, "revision": len(earlier) + 1,
            "digest": document["digest"], "credit": document["credit"]},
        )  # fmt: skip
        self._records.add_event("period.settled", contract.id, now, {"period": period.id, "credit": document["credit"]})
        return document

    def settlement(self, id: str, period_id: str, revision: int | None = None) -> Document:
        """A settlement that was kept; the last revision unless one is named.

        Raises:
            NotFoundError: ``settlement:unknown``.
        """
        content = self.settlement_bytes(id, period_id, revision)
        document: Document = msgspec.json.decode(content, type=dict[str, Any])
        return document

    def settlement_bytes(self, id: str, period_id: str, revision: int | None = None) -> bytes:
        """A settlement as it was written, to the byte."""
        known = self._records.settlements(id, period_id)
        chosen = revision if revision is not None else len(known)
        content = self._records.settlement(id, period_id, chosen)
        if content is None:
            raise NotFoundError(
                Fault(
                    "settlement:unknown",
                    f"Period {period_id[:40]} of {id} is not settled",
                    f"POST /api/v1/contracts/{id}/settlements/{period_id[:40]} settles it once it has ended",
                    "period",
                )
            )
        return content

    def _asked(self, agreement: Agreement, period: Period, known_at: int | None) -> tuple[Agreement, int]:
        """What is looked at, as it is measured, and the instant as known at which."""
        contract = agreement.contract
        if not agreement.binding:  # a trial measures what is there: nobody accepts a machine for an offer
            contract = msgspec.structs.replace(contract, acceptance="given")
            agreement = msgspec.structs.replace(agreement, contract=contract)
        if contract.guarantee is None:
            raise InvalidInputError(
                Fault(
                    "contract:no-guarantee", f"{contract.reference} guarantees nothing", "There is nothing to measure"
                )
            )
        at = self._now() if known_at is None else known_at
        if at <= period.start:
            raise InvalidInputError(
                Fault("contract:not-begun", f"Period {period.id} has not begun", "Ask again once it has", "period")
            )
        return agreement, at

    def _inputs(
        self,
        agreement: Agreement,
        period: Period,
        at: int,
        sources: Sources,
        among: Sequence[Agreement] | None = None,
    ) -> SettlementInputs:
        """Everything that decides a period but the observations."""
        contract = agreement.contract
        others = overlapping(contract, self._records.contracts() if among is None else among)
        higher = [c for c in others if c.rank > contract.rank]
        start, end = range_to_read(contract, period, at)
        twins = [self._twin(id) for id in contract.machines]
        gaps = declared_gaps(sources, twins)
        machines = []
        for twin in twins:
            found = [g for g in gaps.get(twin.uid, []) if g.end > start and g.start < end]
            stretches = type_stretches(self._registry, twin, start, end) if end > start else []
            machines.append(self._machine(agreement, period, twin, stretches, tuple(found), higher))
        claims = [(c, tuple(s)) for c, s in self._records.exclusions(contract.id) if c.at <= at]
        return SettlementInputs(
            contract,
            period,
            start,
            end,
            at,
            {str(shard): sequence for shard, sequence in sources.cut.items()},
            tuple(machines),
            tuple(r for r in self._records.reasons(contract.machines, start, end) if r.at <= at),
            tuple((c, steps) for c, steps in claims if c.end > start and c.start < end),
            tuple(o for o in self._records.work_orders(contract.machines, start, end) if o.at <= at),
        )

    def _twin(self, id: str) -> Twin:
        twin = self._registry.by_id(id)
        if twin is None:
            raise NotFoundError(Fault("contract:machine-unknown", f"There is no twin {id!r} here", where="machines"))
        return twin

    def _machine(
        self,
        agreement: Agreement,
        period: Period,
        twin: Twin,
        stretches: Sequence[Stretch],
        gaps: tuple[Gap, ...],
        higher: Sequence[Contract],
    ) -> MachineInputs:
        contract = agreement.contract
        name = calendar_name(self._registry, twin, period.start)
        return MachineInputs(
            twin=twin.id,
            uid=twin.uid,
            types=tuple(TypeStretch(start, end, type) for start, end, type in stretches if end > start),
            gaps=gaps,
            calendar=self._registry.calendar(name) if name else None,
            owners=twin.owner,
            accepted_at=accepted_at(self._records.acceptances(contract.id), contract, twin.id),
            missed_before=self._missed_before(agreement, period, twin.id),
            shadowed=tuple((contract_start(c), contract_end(c)) for c in higher if twin.id in c.machines),
        )

    def _missed_before(self, agreement: Agreement, period: Period, twin: str) -> int:
        """Settled periods in a row, just before this one, that the machine missed."""
        contract = agreement.contract
        if contract.guarantee is None or contract.guarantee.bands.escalation is None:
            return 0
        earlier = [p for p in periods(contract) if p.end <= period.start]
        settled = {s["period"] for s in self._records.settlements(contract.id)}
        count = 0
        for one in reversed(earlier):
            if one.id not in settled:
                break
            machines = self.settlement(contract.id, one.id)["machines"]
            missed = next((m["missed_percent"] for m in machines if m["twin"] == twin), "0")
            if missed == "0":
                break
            count += 1
        return count


def _series_of(time: MachineTime, end: int) -> dict[str, Series]:
    found: dict[str, Series] = {}
    for segment in time.segments:
        for name, series in segment.series.items():
            found[name] = cut_back(series, -(2**63), end)
    return found


def _same_result(a: Document, b: Document) -> bool:
    keys = ("fee", "credit", "bonus", "disputed", "machines", "observations", "contract_digest")
    return all(a[k] == b[k] for k in keys)
