"""The web worker: pages, API and event streams of a node."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import signal
import socket
import time
from importlib.metadata import version
from pathlib import Path

import argon2
import uvicorn

import servitwin.web
from servitwin.bootstrap.check_connection import check_connection
from servitwin.bootstrap.job_process import JobProcesses
from servitwin.bootstrap.machine_users import write_machine_users
from servitwin.bootstrap.operator import operator_of
from servitwin.bootstrap.reader import on_demand, open_reader
from servitwin.bootstrap.replanning import replan_forever
from servitwin.bootstrap.retraining import retrain_forever
from servitwin.bootstrap.short_worker import ask_worker
from servitwin.bootstrap.worker import report_ready
from servitwin.config import Settings
from servitwin.domain.identity import RANDOM_BYTES, new_uid
from servitwin.engines.bus import BusClient, hash_secret
from servitwin.engines.bus.refusals import Refusals
from servitwin.engines.files.evidence_log import EvidenceReader
from servitwin.engines.files.folder import FileFolder
from servitwin.engines.files.log_heads import LogHeads
from servitwin.engines.files.party_keys import PartyKeyFolder
from servitwin.engines.records import SqlRecords
from servitwin.proof.log.catalogue import ROW
from servitwin.sdk.discovery import manifests
from servitwin.usecases.audit import Audit
from servitwin.usecases.authorise import Authoriser
from servitwin.usecases.bind_observations import BoundRows
from servitwin.usecases.jobs import Jobs
from servitwin.usecases.manage_access import ManageAccess
from servitwin.usecases.ports import HistoryReader
from servitwin.usecases.read_log import ReadLog
from servitwin.usecases.registers import Registers
from servitwin.usecases.registry import Registry
from servitwin.usecases.remaining_lives import EndedLives
from servitwin.usecases.requirement_set import RequirementSet
from servitwin.usecases.run_controller_check import check_rounds
from servitwin.usecases.run_controller_replay import replay_rounds
from servitwin.usecases.run_gate import gate_rounds
from servitwin.usecases.run_jobs import RunJobs
from servitwin.usecases.sign_in import SignIn
from servitwin.usecases.watched_days import WatchedDays
from servitwin.usecases.worth_of_acting import WorthOfActing
from servitwin.web.api.app import create_app
from servitwin.web.api.live import LiveHub
from servitwin.web.api.parts import WebOptions, WebParts

log = logging.getLogger("servitwin.web")


def run(settings: Settings) -> None:
    """Serve until SIGTERM."""
    import uvloop  # noqa: PLC0415 - only this process needs it

    uvloop.run(_serve(settings))


def build_parts(
    settings: Settings,
    records: SqlRecords,
    registry: Registry,
    history: HistoryReader,
    bus: BusClient,
    processes: JobProcesses,
) -> WebParts:
    """Join the parts of one web process."""
    authoriser = Authoriser(registry, records, lambda: operator_of(records), time.time_ns)
    sign_in = SignIn(
        records,
        argon2.PasswordHasher(),
        argon2.exceptions.VerificationError,
        time.time_ns,
        new_secret,
        settings.web.node_token_hash,
    )
    log, heads = EvidenceReader(settings.evidence, ROW), LogHeads(settings.evidence)
    audit, files = Audit(records, time.time_ns), FileFolder(settings.folder / "files")
    bound = on_demand(lambda: _committed_rows(settings))
    return WebParts(
        records=records,
        history=history,
        registry=registry,
        bus=bus,
        authoriser=authoriser,
        sign_in=sign_in,
        access=ManageAccess(records, authoriser, sign_in, time.time_ns, new_id, new_secret),
        audit=audit,
        live=LiveHub(bus, records),
        keys=PartyKeyFolder(settings.party_keys),
        evidence=ReadLog(log, heads, bound, records, registry, authoriser),
        demands=RequirementSet(registry, records),
        log=log,
        heads=heads,
        bound=bound,
        files=files,
        checks=check_rounds(records, lambda: ask_worker("controller-check", settings), time.time_ns),
        replays=replay_rounds(records, lambda: ask_worker("controller-replay", settings), time.time_ns),
        gates=gate_rounds(records, lambda: ask_worker("release-gate", settings), time.time_ns),
        ended_lives=EndedLives(records),
        watched_days=WatchedDays(history, registry),
        worth=WorthOfActing(files),
        registers=Registers(records, authoriser, audit, time.time_ns),
        jobs=Jobs(records, files, authoriser, audit, lambda: manifests("service"), time.time_ns, new_id),
        working=_working(processes, records, files, bus),
        now=time.time_ns,
        new_id=new_id,
        hash_machine_secret=hash_secret,
        machines_changed=lambda: write_machine_users(records, settings.folder),
        check_connection=check_connection,
        broker_refusals=Refusals(settings.folder / "bus" / "nats.log").look,
        options=WebOptions(
            version=version("servitwin"),
            data=settings.folder,
            ui=Path(servitwin.web.__path__[0]) / "ui",
            anonymous_role=settings.web.anonymous_role,
            secure=bool(settings.tls.certificate),
        ),
        watched=tuple((w.url, LogHeads(settings.witness_folder(w.url))) for w in settings.witness),
    )


def _processes(settings: Settings) -> JobProcesses:
    """Of planners and trainers."""
    ready = {name for name, m in manifests("service").items() if m.kept_ready and m.kind == "planner"}
    return JobProcesses(settings.folder / "logs" / "jobs.log", ready.__contains__)


def _used(records: SqlRecords) -> list[str]:
    """Planners and trainers that were asked before on this node."""
    parties = [p.id for p in records.parties()]
    return [name for name in manifests("service") if records.jobs_of(parties, name, limit=1)]


def _working(processes: JobProcesses, records: SqlRecords, files: FileFolder, bus: BusClient) -> RunJobs:
    """Who does the jobs of planners and trainers, telling of them on the bus."""
    telling: set[asyncio.Task[None]] = set()

    def tell(loop: asyncio.AbstractEventLoop, subject: str, payload: bytes) -> None:
        task = loop.create_task(bus.publish(subject, payload))
        telling.add(task)
        task.add_done_callback(telling.discard)

    def publish(subject: str, payload: bytes) -> None:
        loop.call_soon_threadsafe(tell, loop, subject, payload)

    loop = asyncio.get_running_loop()
    return RunJobs(records, files, processes.start, publish, time.time_ns)


def _committed_rows(settings: Settings) -> BoundRows:
    from servitwin.engines.history.bound import CommittedRows  # noqa: PLC0415 - Arrow, for who asks for rows alone

    return CommittedRows(settings.history)


def new_id() -> str:
    """A new permanent id."""
    return new_uid(time.time_ns(), secrets.token_bytes(RANDOM_BYTES))


def new_secret() -> str:
    """256 random bits as text."""
    return secrets.token_urlsafe(32)


async def _serve(settings: Settings) -> None:
    records = SqlRecords(settings.records)
    reach = settings.bus
    bus = await BusClient.connect(reach.host, reach.port, reach.user, reach.password, "web")
    registry = Registry(records)
    reader = open_reader(settings, bus, registry, asyncio.get_running_loop())
    processes = _processes(settings)
    parts = build_parts(settings, records, registry, reader, bus, processes)
    app = create_app(parts)

    async def reload(subject: str, _: bytes) -> None:
        await asyncio.to_thread(parts.registry.reload)
        log.debug("%s: twins and types read again", subject)

    await bus.subscribe("changed.>", reload)
    listening = _listen(settings.web.host, settings.web.port)
    server = _Server(
        uvicorn.Config(
            app,
            loop="none",
            http="httptools",
            access_log=False,  # addresses with queries would be in it
            server_header=False,
            proxy_headers=False,
            log_config=None,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=3,
            limit_concurrency=2000,
            h11_max_incomplete_event_size=64 * 1024,
            ssl_certfile=settings.tls.certificate or None,
            ssl_keyfile=settings.tls.key or None,
        )
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: setattr(server, "should_exit", True))
    serving = asyncio.create_task(server.serve([listening]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.005)
    if server.started:
        report_ready(port=listening.getsockname()[1])
        parts.checks.wake()
        parts.replays.wake()
        parts.gates.wake()
        await parts.working.begin()
        processes.renew(await asyncio.to_thread(_used, records))
    retraining = asyncio.create_task(retrain_forever(parts))
    replanning = asyncio.create_task(replan_forever(parts))
    try:
        await serving
    finally:
        replanning.cancel()
        retraining.cancel()
        await parts.checks.stop()
        await parts.replays.stop()
        await parts.gates.stop()
        await parts.working.stop()
        await processes.close()
        await bus.close()
        records.close()


class _Server(uvicorn.Server):
    """Leaves signals to the worker, which has more to close than uvicorn knows of."""

    def capture_signals(self) -> contextlib.AbstractContextManager[None]:  # type: ignore[override]
        """Capture nothing."""
        return contextlib.nullcontext()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    listening.set_inheritable(False)
    return listening
