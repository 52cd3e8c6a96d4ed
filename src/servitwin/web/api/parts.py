"""What the web needs of the house: put together in ``servitwin.bootstrap.web_worker`` or by a test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from servitwin.formats.plant_file import CheckConnection
from servitwin.usecases.audit import Audit
from servitwin.usecases.authorise import Authoriser
from servitwin.usecases.bind_observations import BoundRows
from servitwin.usecases.jobs import Jobs
from servitwin.usecases.log_ports import HeadFiles, LogReader
from servitwin.usecases.manage_access import ManageAccess
from servitwin.usecases.past_time import PastTime
from servitwin.usecases.ports import Bus, Files, HistoryReader, Records, SigningKeys
from servitwin.usecases.read_log import ReadLog
from servitwin.usecases.registers import Registers
from servitwin.usecases.registry import Registry
from servitwin.usecases.remaining_lives import EndedLives
from servitwin.usecases.requirement_set import RequirementSet
from servitwin.usecases.rounds import Rounds
from servitwin.usecases.run_jobs import RunJobs
from servitwin.usecases.sign_in import SignIn
from servitwin.usecases.watched_days import WatchedDays
from servitwin.usecases.worth_of_acting import WorthOfActing
from servitwin.web.api.live import LiveHub

API = "/api/v1"


@dataclass(frozen=True, slots=True)
class WebOptions:
    """How this node shows itself.

    Attributes:
        version: version of servitwin.
        data: data folder, for disk use and the supervisor's ``run/children.json``.
        ui: folder of the built pages.
        anonymous_role: role of callers without a token; empty: none.
        secure: whether browsers reach this node by TLS (cookie attribute ``Secure``).
        shards: ingest shards to ask.
    """

    version: str
    data: Path
    ui: Path
    anonymous_role: str = ""
    secure: bool = False
    shards: tuple[int, ...] = (0, 1)


@dataclass(slots=True)
class WebParts:
    """Everything that routes use; clocks, ids and secrets are passed in."""

    records: Records
    history: HistoryReader
    registry: Registry
    bus: Bus
    authoriser: Authoriser
    sign_in: SignIn
    access: ManageAccess
    audit: Audit
    live: LiveHub
    keys: SigningKeys
    evidence: ReadLog
    demands: RequirementSet
    log: LogReader
    heads: HeadFiles
    bound: BoundRows
    files: Files
    checks: Rounds  # of controllers
    replays: Rounds  # of what they found, in the simulator
    gates: Rounds  # that releases go through
    registers: Registers
    ended_lives: EndedLives
    watched_days: WatchedDays
    worth: WorthOfActing
    jobs: Jobs
    working: RunJobs  # does the jobs that wait
    now: Callable[[], int]
    new_id: Callable[[], str]
    hash_machine_secret: Callable[[str], str]
    machines_changed: Callable[[], None]  # the bus learns of new credentials
    check_connection: CheckConnection  # faults of a connection, as its connector finds them
    broker_refusals: Callable[[], dict[str, Any]]  # counts by code, and the last ones
    options: WebOptions
    past: PastTime = field(default_factory=PastTime)
    watched: tuple[tuple[str, HeadFiles], ...] = ()  # logs of other nodes: address, and what this node's witness keeps
