"""A web part over real SQLite records, served by a real uvicorn in a thread; the bus is an in-memory one."""

import asyncio
import socket
import threading
import time

import argon2
import httpx
import msgspec
import uvicorn

from servitwin.bootstrap.check_connection import check_connection
from servitwin.bootstrap.controller_worker import seen_in
from servitwin.bootstrap.job_process import JobProcesses
from servitwin.bootstrap.web_worker import new_id, new_secret
from servitwin.domain.error import Fault, UnavailableError
from servitwin.domain.instant import NS
from servitwin.domain.machine_type import CommandDefinition, Component, MachineType, StateMapping
from servitwin.domain.party import Account, Grant, Party
from servitwin.domain.signal import Reporting, SignalDefinition
from servitwin.domain.twin import Aggregate, Dated, Twin
from servitwin.engines.bus.refusals import Refusals
from servitwin.engines.files.evidence_log import EvidenceReader
from servitwin.engines.files.folder import FileFolder
from servitwin.engines.files.log_heads import LogHeads
from servitwin.engines.files.party_keys import PartyKeyFolder
from servitwin.engines.history import DuckReader
from servitwin.engines.history.bound import CommittedRows
from servitwin.engines.records import SqlRecords, migrate
from servitwin.proof.log.catalogue import ROW
from servitwin.sdk.discovery import manifests
from servitwin.usecases.audit import Audit
from servitwin.usecases.authorise import Authoriser
from servitwin.usecases.jobs import Jobs
from servitwin.usecases.manage_access import ManageAccess
from servitwin.usecases.read_log import ReadLog
from servitwin.usecases.registers import Registers
from servitwin.usecases.registry import Registry
from servitwin.usecases.remaining_lives import EndedLives
from servitwin.usecases.requirement_set import RequirementSet
from servitwin.usecases.run_controller_check import check_rounds, run_next
from servitwin.usecases.run_controller_replay import replay_rounds
from servitwin.usecases.run_gate import gate_rounds
from servitwin.usecases.run_jobs import RunJobs
from servitwin.usecases.sign_in import SignIn, secret_hash
from servitwin.usecases.watched_days import WatchedDays
from servitwin.usecases.worth_of_acting import WorthOfActing
from servitwin.web.api.app import create_app
from servitwin.web.api.live import LiveHub
from servitwin.web.api.parts import WebOptions, WebParts

T0 = 1_700_000_000 * NS
PASSWORD = "correct horse battery"
MILL = MachineType(
    "mill-500",
    2,
    title="Mill 500",
    signals=(
        SignalDefinition(
            "spindle.temperature", unit="Cel", range=(15.0, 80.0), component="spindle",
            reporting=Reporting("periodic", 5 * NS),
        ),
        SignalDefinition("spindle.load", unit="%", component="spindle"),
        SignalDefinition("execution", "text", values=("ACTIVE", "READY", "STOPPED")),
        SignalDefinition("door", "flag"),
        SignalDefinition("system", "condition"),
        SignalDefinition("power", unit="kW"),
    ),
    components=(Component("spindle", "Spindle"),),
    commands=(CommandDefinition("set-speed", "setting", "Set the speed"),),
    states=StateMapping((), word="execution"),
)  # fmt: skip


class MemoryBus:
    """Keeps what is published, delivers to subscribers of this process, answers what a test lets it answer."""

    def __init__(self):
        self.connected = True
        self.published = []
        self.stored = {}
        self.refuses = None
        self.answers = {"ask.live": lambda _: b"[]"}
        self._subscribers = []
        self.loop = None

    async def publish(self, subject, payload):
        self.published.append((subject, payload))

    async def publish_acknowledged(self, subject, payload, message_id):
        return (await self.publish_sequenced(subject, payload, message_id))[1]

    async def publish_sequenced(self, subject, payload, message_id):
        if self.refuses:
            raise UnavailableError(Fault("bus:refused", self.refuses))
        key = (subject, message_id)
        if message_id and key in self.stored:
            return self.stored[key][0], False
        self.stored[key] = (len(self.stored) + 1, payload)
        return len(self.stored), True

    async def request(self, subject, payload, timeout_s):
        if subject not in self.answers:
            raise UnavailableError(Fault("bus:no-answer", subject))
        return self.answers[subject](payload)

    async def subscribe(self, subject, callback):
        self.loop = asyncio.get_running_loop()
        entry = (subject.rstrip(">"), callback)
        self._subscribers.append(entry)

        async def end():
            self._subscribers.remove(entry)

        return end

    def send(self, subject, payload):
        """From the test's thread: as if it had come from the bus."""

        async def deliver():
            for prefix, callback in list(self._subscribers):
                if subject.startswith(prefix):
                    await callback(subject, payload)

        asyncio.run_coroutine_threadsafe(deliver(), self.loop).result(5)

    def live(self, twin, uid, values):
        """Publish changed values of a twin."""
        self.send(f"live.{twin}", msgspec.json.encode({"twin": twin, "uid": uid, "values": values, "cut": {"0": 7}}))


def uid(n):
    return f"019a0b5e-7c00-7000-8000-{n:012d}"


def machine(n, id, owner, parent="", **more):
    own = (Dated(owner, 0),) if isinstance(owner, str) else owner
    return Twin(
        uid(n), id, "machine", title=id.replace("-", " ").title(), serial=f"SN-{n:04d}", created=T0,
        type=(Dated("mill-500@2", 0),), owner=own, parent=(Dated(parent, 0),) if parent else (), **more,
    )  # fmt: skip


def fill(records):
    """Two companies on one node: acme with a line of two mills, other with one mill and one bought from acme."""
    records.add_machine_type(MILL)
    for party in (Party("maker", "Maker", "manufacturer"), Party("acme", "Acme"), Party("other", "Other")):
        records.save_party(party)
    power = Aggregate("power", "sum", "power", "kW", 10 * NS)
    records.save_twin(
        Twin(uid(1), "line-a", "line", title="Line A", created=T0, owner=(Dated("acme", 0),), aggregates=(power,))
    )
    records.save_twin(machine(2, "mill-1", "acme", "line-a"))
    records.save_twin(machine(3, "mill-2", "acme", "line-a"))
    records.save_twin(machine(4, "other-mill", "other"))
    sold = (Dated("acme", 0, T0), Dated("other", T0))
    records.save_twin(machine(5, "sold-mill", sold))
    hasher = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    for id, party, role in (
        ("anna", "acme", "production_manager"),
        ("adam", "acme", "administrator"),
        ("vera", "acme", "viewer"),
        ("olga", "other", "production_manager"),
        ("oscar", "other", "administrator"),
        ("mike", "maker", "administrator"),
        ("sam", "maker", "service_manager"),
    ):
        records.save_account(Account(id, id.title(), party, (role,)), hasher.hash(PASSWORD))
    return hasher


class Node:
    """Everything the web part needs, running; ``browser`` and ``program`` are its clients."""

    def __init__(self, folder, *, anonymous_role="", history=None, bus=None, now=time.time_ns, ui=None):
        self.folder = folder
        url = f"sqlite:///{folder / 'records.db'}"
        migrate(url)
        self.records = SqlRecords(url)
        self.hasher = fill(self.records)
        self.bus = bus or MemoryBus()
        self.node_token = new_secret()
        self.registry = Registry(self.records)
        self.authoriser = Authoriser(self.registry, self.records, lambda: "maker", now)
        self.sign_in = SignIn(
            self.records,
            self.hasher,
            argon2.exceptions.VerificationError,
            now,
            new_secret,
            secret_hash(self.node_token),
        )
        self.machines_changed = 0
        log, heads = EvidenceReader(folder / "evidence", ROW), LogHeads(folder / "evidence")
        bound, files = CommittedRows(folder / "history"), FileFolder(folder / "files")
        audit = Audit(self.records, now)
        history = history or DuckReader(folder / "history")
        self.parts = WebParts(
            records=self.records,
            history=history,
            registry=self.registry,
            bus=self.bus,
            authoriser=self.authoriser,
            sign_in=self.sign_in,
            access=ManageAccess(self.records, self.authoriser, self.sign_in, now, new_id, new_secret),
            audit=audit,
            live=LiveHub(self.bus, self.records),
            keys=PartyKeyFolder(folder / "party-keys"),
            evidence=ReadLog(
                log,
                heads,
                bound,
                self.records,
                self.registry,
                self.authoriser,
            ),
            demands=RequirementSet(self.registry, self.records),
            log=log,
            heads=heads,
            bound=bound,
            files=files,
            checks=check_rounds(self.records, self._check, now),
            replays=replay_rounds(self.records, self._replay, now),
            gates=gate_rounds(self.records, self._gate, now),
            ended_lives=EndedLives(self.records),
            watched_days=WatchedDays(history, self.registry),
            worth=WorthOfActing(files),
            registers=Registers(self.records, self.authoriser, audit, now),
            jobs=Jobs(self.records, files, self.authoriser, audit, lambda: manifests("service"), now, new_id),
            working=RunJobs(self.records, files, JobProcesses(folder / "jobs.log").start, lambda *_: None, now),
            now=now,
            new_id=new_id,
            hash_machine_secret=lambda s: "$2-test-" + secret_hash(s),
            machines_changed=self._machines_changed,
            check_connection=check_connection,
            broker_refusals=Refusals(folder / "nats.log").look,
            options=WebOptions("0.1.0", folder, ui or folder / "ui", anonymous_role),
        )
        self.app = create_app(self.parts)

    async def _check(self):
        """A check as its process does it, in a thread."""
        parts = self.parts

        def observe(check, signals):
            wanted = [(check.twin, s) for s in signals]
            found = parts.history.many_series(wanted, check.start, check.end, before=True)
            return [seen for series in found.values() for seen in seen_in(series)]

        await asyncio.to_thread(run_next, self.records, parts.files, observe, time.monotonic, parts.now)
        return b""

    async def _gate(self):
        raise UnavailableError(Fault("worker:failed", "There is no simulator here: what is asked waits"))

    async def _replay(self):
        raise UnavailableError(Fault("worker:failed", "There is no broker here: what is asked waits"))

    def _machines_changed(self):
        self.machines_changed += 1

    def __enter__(self):
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                self.app, log_level="warning", access_log=False, http="httptools", timeout_graceful_shutdown=1
            )
        )
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()
        until = time.monotonic() + 10
        while not self._server.started:
            assert time.monotonic() < until, "the app did not start"
            time.sleep(0.005)
        return self

    def __exit__(self, *_):
        self._server.should_exit = True
        self._thread.join(10)
        self.records.close()

    def client(self, **more):
        return httpx.Client(base_url=self.url, timeout=60, **more)

    def browser(self, account):
        """Signed in, with the token that unsafe calls need."""
        client = self.client()
        answer = client.post("/api/v1/session", json={"account": account, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        return client

    def program(self, token):
        return self.client(headers={"Authorization": f"Bearer {token}"})

    def grant(self, grantor, grantee, twin, action="read", signals=(), start=0, end=None):
        grant = Grant(new_id(), grantor, grantee, twin, action, Dated(action, start, end), tuple(signals))
        self.records.save_grant(grant)
        self.authoriser.forget()
        return grant

    def withdraw(self, grant):
        self.records.save_grant(
            Grant(grant.id, grant.grantor, grant.grantee, grant.twin, grant.action, Dated(grant.action, 0, 1))
        )
        self.authoriser.forget()
