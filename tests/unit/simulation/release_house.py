"""A node without its processes, for tests of the update gate: records, files, log, and simulated mills."""

import time
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from servitwin.connectors.simulator import plugin as simulator
from servitwin.domain.instant import NS
from servitwin.domain.kept_controller import ControllerCheck
from servitwin.domain.party import Actor, Party
from servitwin.domain.release import Gate, GatePolicy
from servitwin.domain.twin import Dated, Twin
from servitwin.engines.files.evidence_log import EvidenceLog
from servitwin.engines.files.folder import FileFolder
from servitwin.engines.files.log_heads import LogHeads
from servitwin.engines.files.party_keys import PartyKeyFolder
from servitwin.engines.history import DuckReader
from servitwin.engines.records import SqlRecords, migrate
from servitwin.formats.machine_type_file import read_machine_type
from servitwin.formats.yaml_node import parse
from servitwin.proof.log.catalogue import ROW, describe
from servitwin.sdk.release_statement import package_digest
from servitwin.usecases.audit import Audit
from servitwin.usecases.authorise import Authoriser
from servitwin.usecases.check_controller import ControllerText, Limits, check_controller
from servitwin.usecases.keep_controller import KeepController
from servitwin.usecases.keep_log import KeepLog
from servitwin.usecases.keep_release import KeepRelease, NewRelease
from servitwin.usecases.registry import Registry
from servitwin.usecases.release_file import ReleaseFile
from servitwin.usecases.released_update import ReleasedUpdate
from servitwin.usecases.run_gate import RunGate
from tests.conftest import ROOT

T0 = 1_700_000_000 * NS
DEMO = ROOT / "examples" / "demo"
RITVA = Actor("ritva", "person", "aurora", ("engineer",))
PETRA = Actor("petra", "person", "kivi", ("procurement", "administrator"))
PACKAGE = package_digest(b"software 4.2.0")
QUICK = GatePolicy(
    ("controller", "simulated", "performance"), depth=20, seconds=60, runs=2, hours=0.3, worse_at_most=0.6,
    recorded_hours=1, machines=1,
)  # fmt: skip


@cache
def checked(text: ControllerText) -> bytes:
    """A controller's check, done once for all tests; the gate takes a finished one that went as deep."""
    return msgspec.json.encode(check_controller(text, time.monotonic, limits=Limits(60, 20)))


class House:
    """A node without its processes: records, files, log and the simulation of the demo's mills."""

    def __init__(self, folder: Path) -> None:
        migrate(f"sqlite:///{folder}/records.db")
        self.records = SqlRecords(f"sqlite:///{folder}/records.db")
        self.clock = T0
        for party in ("aurora", "kivi", "lumo"):
            self.records.save_party(Party(party, party, "manufacturer"))
        read, faults = read_machine_type(parse((DEMO / "machine-types" / "mill-500.yaml").read_text("utf-8"), "t"))
        assert read is not None and not faults
        self.type = read
        self.records.add_machine_type(read)
        since = T0 - NS
        owner = (Dated("kivi", since),)
        self.records.save_twin(Twin("u1", "mill-1", "machine", type=(Dated(read.reference, since),), owner=owner))
        self.registry = Registry(self.records)
        self.files = FileFolder(folder / "files")
        self.keys = PartyKeyFolder(folder / "keys")
        self.heads = LogHeads(folder / "log")
        self.log = EvidenceLog(folder / "log", ROW, describe)
        self.keep_log = KeepLog(self.log, self.heads, self.keys, self.records, lambda: "lumo", self.now)
        self.authoriser = Authoriser(self.registry, self.records, lambda: "lumo", self.now)
        audit = Audit(self.records, self.now)
        parts = (self.records, self.registry, self.authoriser, audit, self.now, self.new_id)
        self.desk = KeepRelease(*parts)
        self.controllers = KeepController(
            self.records, self.files, self.registry, self.authoriser, audit, self.now, self.new_id
        )
        node = Actor("node", "system", "", ("administrator",))
        for name in ("mill-door.yaml", "mill-door-mended.yaml"):
            text = ControllerText((ROOT / "examples" / "controllers" / name).read_text("utf-8"))
            kept, _ = self.controllers.keep(text, node, "mill-500")
            result = self.files.put(checked(text))
            self.records.save_controller_check(
                ControllerCheck(f"c-{name}", kept.name, kept.version, 20, 60, T0, "x", state="done", result=result)
            )
        plant = yaml.safe_load((DEMO / "plant.yaml").read_text("utf-8"))
        self.config = plant["connections"]["demo-mills"]["config"]
        self.gate = RunGate(
            self.records, self.files, self.registry, DuckReader(folder / "history"), lambda _: self.rehearse,
            lambda *_: [], lambda: "lumo", time.monotonic, self.now, lambda: None,
        )  # fmt: skip

    def now(self) -> int:
        self.clock += NS
        return self.clock

    def new_id(self) -> str:
        return f"id-{self.now()}"

    def rehearse(self, instructions: Any, seconds: float, seed: int) -> Any:
        return simulator.rehearse(self.config, "mill-1", instructions, seconds, seed, 5.0)

    def tried(self, policy: GatePolicy = QUICK, **release: Any) -> Gate:
        new = NewRelease("mill-500", release.pop("version", "4.2.0"), PACKAGE, **release)
        kept, _ = self.desk.add(new, RITVA)
        self.records.save_gate(Gate(self.new_id(), kept.id, policy, self.now(), "ritva"))
        gate = self.gate.run_next()
        assert gate is not None
        return gate

    def logged(self) -> None:
        assert self.keep_log.open()
        self.keep_log.take_waiting()

    def file(self, id: str = "mill-500-4.2.0") -> bytes:
        writer = ReleaseFile(self.records, self.files, self.log, self.heads, self.keys, lambda: "lumo")
        release = self.records.release(id)
        assert release is not None
        return writer.write(release)

    def keys_known(self) -> list[dict[str, str]]:
        """The parties' keys, as a reader brings them from outside."""
        return [
            {"id": k.id, "party": k.party, "public_key": k.public_key, "since": "2020-01-01T00:00:00Z"}
            for k in self.records.party_keys()
        ]

    def update(self, **parameters: Any) -> tuple[str, Any]:
        found = ReleasedUpdate(self.records, self.log.entry)
        return found.statement(self.type, {"digest": PACKAGE, "version": "4.2.0", **parameters})
