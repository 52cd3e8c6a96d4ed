"""The client: one method for each thing the API can do, typed, synchronous."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal
from urllib.parse import quote

import httpx

from servitwin.client import answers
from servitwin.client.anomalies import AnomalyCalls
from servitwin.client.contracts import ContractCalls
from servitwin.client.controllers import ControllerCalls
from servitwin.client.deliveries import DeliveryCalls
from servitwin.client.events import parse_events
from servitwin.client.evidence import EvidenceCalls
from servitwin.client.http import Connection, local_address
from servitwin.client.maintenance import MaintenanceCalls
from servitwin.client.planning import PlanningCalls
from servitwin.client.releases import ReleaseCalls
from servitwin.client.remaining_life import RemainingLifeCalls
from servitwin.client.requirements import RequirementCalls
from servitwin.client.robots import RobotCalls
from servitwin.client.routine import RoutineCalls
from servitwin.client.schedules import ScheduleCalls
from servitwin.client.simulations import SimulationCalls
from servitwin.client.traces import TraceCalls
from servitwin.domain.error import NotFoundError
from servitwin.domain.instant import format_instant
from servitwin.domain.machine_type import MachineType
from servitwin.domain.state_time import Gap

Time = str | int | None


class Client(
    AnomalyCalls,
    ContractCalls,
    ControllerCalls,
    DeliveryCalls,
    EvidenceCalls,
    MaintenanceCalls,
    PlanningCalls,
    ReleaseCalls,
    RemainingLifeCalls,
    RequirementCalls,
    RobotCalls,
    RoutineCalls,
    ScheduleCalls,
    SimulationCalls,
    TraceCalls,
):
    """A node's API. Every method raises :class:`servitwin.domain.error.ServitwinError` with code and hint.

    Times may be given as RFC 3339 text or integer nanoseconds UTC.
    """

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        timeout_s: float = 60.0,
        transport: httpx.BaseTransport | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._api = Connection(url, token, timeout_s, transport, trust)

    @classmethod
    def local(cls, data: Path, *, timeout_s: float = 60.0) -> Client:
        """The node that runs on that data folder of this machine.

        Raises:
            UnavailableError: ``node:not-running``.
        """
        url, token, trust = local_address(data)
        return cls(url, token, timeout_s=timeout_s, trust=trust)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._api.close()

    # twins and types -------------------------------------------------------------------------------------------
    def twins(
        self, *, kind: str | None = None, q: str | None = None, parent: str | None = None
    ) -> Iterator[answers.TwinSummary]:
        """All twins that the caller may know, page by page."""
        return self._pages("/twins", answers.Page[answers.TwinSummary], {"kind": kind, "q": q, "parent": parent})

    def twin(self, id: str) -> answers.TwinDetail:
        """One twin with its signals."""
        return self._api.call("GET", f"/twins/{_part(id)}", answers.TwinDetail)

    def find_twin(self, id: str) -> answers.TwinDetail | None:
        """One twin, or None if there is none of that id."""
        try:
            return self.twin(id)
        except NotFoundError:
            return None

    def save_twin(self, id: str, body: Mapping[str, Any]) -> answers.TwinDetail:
        """Create a twin or change what ``body`` names, as in ``plant.yaml``."""
        return self._api.call("PUT", f"/twins/{_part(id)}", answers.TwinDetail, body=dict(body))

    def machine_type(self, reference: str) -> MachineType:
        """The machine type ``name@version``."""
        return self._api.call("GET", f"/machine-types/{_part(reference)}", MachineType)

    def add_machine_type(self, machine_type: MachineType) -> answers.Registered:
        """Publish a machine type; the same version with the same content again changes nothing.

        Raises:
            ConflictError: the version is there with another content.
        """
        return self._api.call("POST", "/machine-types", answers.Registered, body=machine_type)

    def import_file(self, content: bytes) -> answers.Registered:
        """Register the machine type that a YAML file declares."""
        return self._api.call(
            "POST", "/machine-types", answers.Registered, content=content, content_type="application/yaml"
        )

    def import_plant(self, content: bytes) -> answers.PlantImported:
        """Bring in a plant file; only what differs is changed."""
        return self._api.call(
            "POST", "/plants", answers.PlantImported, content=content, content_type="application/yaml"
        )

    def declare_gaps(self, twin: str, gaps: Sequence[Gap]) -> None:
        """Declare stretches for which data are missing; the same gap twice is one."""
        body = {
            "gaps": [
                {"from": format_instant(g.start), "to": format_instant(g.end), "reason": g.reason, "source": g.source}
                for g in gaps
            ]
        }
        self._api.call("POST", f"/twins/{_part(twin)}/gaps", dict, body=body)

    # state and figures -----------------------------------------------------------------------------------------
    def state(self, twin: str) -> answers.TwinState:
        """The values of a twin now."""
        return self._api.call("GET", f"/twins/{_part(twin)}/state", answers.TwinState)

    def observations(
        self,
        twin: str,
        signal: str,
        *,
        from_: Time = None,
        to: Time = None,
        every: str | None = None,
        aggregate: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> answers.SeriesAnswer:
        """One page of observations, or buckets with ``every`` or ``aggregate`` (``duration`` for text signals)."""
        params = {"every": every, "aggregate": aggregate, "limit": limit, "cursor": cursor}
        path = f"/twins/{_part(twin)}/signals/{_part(signal)}/observations"
        return self._api.call("GET", path, answers.SeriesAnswer, params={"from": from_, "to": to, **params})

    def all_observations(
        self, twin: str, signal: str, *, from_: Time = None, to: Time = None
    ) -> Iterator[answers.ObservationAnswer]:
        """All raw observations in [from_, to), page by page."""
        cursor: str | None = None
        while True:
            page = self.observations(twin, signal, from_=from_, to=to, cursor=cursor)
            yield from page.items or ()
            cursor = page.next
            if cursor is None:
                return

    def states(self, twin: str, *, from_: Time = None, to: Time = None) -> answers.StatesAnswer:
        """State intervals in [from_, to) and their totals, all pages."""
        params = {"from": from_, "to": to}
        path = f"/twins/{_part(twin)}/states"
        whole = answer = self._api.call("GET", path, answers.StatesAnswer, params=params)
        while answer.next is not None:
            answer = self._api.call("GET", path, answers.StatesAnswer, params={**params, "cursor": answer.next})
            whole.intervals += answer.intervals
        return whole

    def availability(
        self, twin: str, *, formula: str | None = None, from_: Time = None, to: Time = None
    ) -> answers.AvailabilityAnswer:
        """Availability by a named formula (``en15341-m10@1``)."""
        params = {"formula": formula, "from": from_, "to": to}
        return self._api.call("GET", f"/twins/{_part(twin)}/availability", answers.AvailabilityAnswer, params=params)

    def definitions(self, twin: str, *, from_: Time = None, to: Time = None) -> dict[str, Any]:
        """One recording under several definitions of available."""
        path = f"/twins/{_part(twin)}/availability/definitions"
        return self._api.call("GET", path, dict, params={"from": from_, "to": to})

    def oee(
        self, twin: str, *, from_: Time = None, to: Time = None, by: Literal["shift", "product", "cause"] | None = None
    ) -> answers.OeeAnswer:
        """OEE after ISO 22400-2 with its losses."""
        params = {"from": from_, "to": to, "by": by}
        return self._api.call("GET", f"/twins/{_part(twin)}/oee", answers.OeeAnswer, params=params)

    # commands --------------------------------------------------------------------------------------------------
    def command(
        self, twin: str, name: str, parameters: Mapping[str, float | str | bool], key: str = ""
    ) -> answers.CommandAnswer:
        """Ask a machine to do something; the same ``key`` is one command."""
        headers = {"Idempotency-Key": key} if key else None
        path = f"/twins/{_part(twin)}/commands/{_part(name)}"
        body = {"parameters": dict(parameters)}
        return self._api.call("POST", path, answers.CommandAnswer, body=body, headers=headers)

    def command_status(self, id: str) -> answers.CommandAnswer:
        """A command with what has become of it."""
        return self._api.call("GET", f"/commands/{_part(id)}", answers.CommandAnswer)

    # data in ---------------------------------------------------------------------------------------------------
    def send(self, twin: str, payloads: Sequence[bytes]) -> answers.Sent:
        """Payloads as on MQTT, each counted by itself; returns once all are durable.

        Raises:
            UnavailableError: the node refuses for now (stream or disk full); send the same payloads again later.
        """
        return self._api.call(
            "POST",
            f"/twins/{_part(twin)}/observations",
            answers.Sent,
            content=b"\n".join(payloads),
            content_type="application/x-ndjson",
        )

    def cut(self) -> answers.CutAnswer:
        """How far ingest has come."""
        return self._api.call("GET", "/cut", answers.CutAnswer)

    def session_counts(self, twin: str, session: str) -> answers.SessionCounts:
        """What ingest counted for a session."""
        params = {"session": session}
        return self._api.call("GET", f"/twins/{_part(twin)}/ingest", answers.SessionCounts, params=params)

    # quarantine, export, simulator, events ---------------------------------------------------------------------
    def quarantine(self, *, code: str | None = None, twin: str | None = None) -> Iterator[answers.QuarantineEntry]:
        """Entries of quarantine, newest first, page by page."""
        return self._pages("/quarantine", answers.QuarantinePage, {"code": code, "twin": twin})

    def quarantine_counts(self, *, twin: str | None = None) -> dict[str, int]:
        """Number of entries by code."""
        params = {"twin": twin, "limit": 1}
        return self._api.call("GET", "/quarantine", answers.QuarantinePage, params=params).counts

    def replay_quarantine(
        self, *, ids: Sequence[str] | None = None, code: str | None = None, mapping: Mapping[str, Any] | None = None
    ) -> answers.QuarantineReplay:
        """Send entries again after mending."""
        wanted = {"ids": list(ids) if ids else None, "code": code, "mapping": dict(mapping) if mapping else None}
        body = {k: v for k, v in wanted.items() if v is not None}
        return self._api.call("POST", "/quarantine/replay", answers.QuarantineReplay, body=body)

    def export(
        self,
        twins: Sequence[str],
        *,
        signals: Sequence[str] = (),
        from_: Time = None,
        to: Time = None,
        form: Literal["csv", "parquet", "arrow"] = "csv",
    ) -> Iterator[bytes]:
        """Rows with units and metadata, in pieces as they come."""
        params = {"twins": ",".join(twins), "signals": ",".join(signals) or None, "from": from_, "to": to, "form": form}
        return self._api.stream("/export", params)

    def simulator(self) -> answers.SimulatorAnswer:
        """Faults that the simulator can inject, and which are active."""
        return self._api.call("GET", "/simulator", answers.SimulatorAnswer)

    def simulate_fault(self, twin: str, fault: str, active: bool) -> answers.SimulatorAnswer:
        """Break or mend a component in the simulation."""
        body = {"twin": twin, "fault": fault, "active": active}
        return self._api.call("POST", "/simulator/faults", answers.SimulatorAnswer, body=body)

    def events(
        self, topics: Sequence[str] = ("live", "happened"), twins: Sequence[str] = (), *, after: str = ""
    ) -> Iterator[answers.ServerEvent]:
        """The node's events as they happen, until the connection is lost; ``after`` resumes behind that id."""
        params = {"topics": ",".join(topics), "twins": ",".join(twins) or None}
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": after} if after else {})}
        return parse_events(self._api.stream("/events", params, headers))

    def health(self) -> dict[str, Any]:
        """Health of the node in one look."""
        return self._api.call("GET", "/health", dict)

    def _pages(self, path: str, page: Any, params: Mapping[str, Any]) -> Iterator[Any]:
        cursor: str | None = None
        while True:
            answer = self._api.call("GET", path, page, params={**params, "cursor": cursor})
            yield from answer.items
            cursor = answer.next
            if cursor is None:
                return


def _part(text: str) -> str:
    """A text as one part of a path."""
    return quote(text, safe="@")
