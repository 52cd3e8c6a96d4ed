"""Join what a witness needs: its copy of the other log, its keys, and the way to the other node."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from servitwin.bootstrap.operator import operator_of
from servitwin.client import Client
from servitwin.client.http import authority
from servitwin.config import Settings, WitnessSettings
from servitwin.domain.error import ServitwinError
from servitwin.engines.files.evidence_log import EvidenceLog, EvidenceReader
from servitwin.engines.files.log_heads import LogHeads
from servitwin.engines.files.party_keys import PartyKeyFolder
from servitwin.engines.records import SqlRecords
from servitwin.proof.log.catalogue import ROW, describe, places_of_kinds
from servitwin.usecases.log_ports import RemoteLog
from servitwin.usecases.witness_log import Followed, WitnessLog, leaf_of

log = logging.getLogger("servitwin.witness")


@contextmanager
def open_witness(folder: Path, keys: PartyKeyFolder, party: str, own: Path | None) -> Iterator[WitnessLog]:
    """A watch with its files; ``own``: folder of this node's own log, where its keys are stated.

    Raises:
        ConflictError: ``log:in-use``.
        UnavailableError: ``log:damaged``.
    """

    def stated() -> list[bytes]:
        if own is None:
            return []
        reader = EvidenceReader(own, ROW)
        try:
            return [reader.entry(i) for i in places_of_kinds(reader.catalogue(), "key")]
        finally:
            reader.close()

    copy = EvidenceLog(folder / "log", ROW, describe, leaf_of)
    try:
        yield WitnessLog(copy, LogHeads(folder), keys, party, time.time_ns, stated)
    finally:
        copy.close()


def witness_once(folder: Path, party: str, remote: RemoteLog) -> Followed:
    """Look at another log once, with keys of the folder's own."""
    with open_witness(folder, PartyKeyFolder(folder / "keys"), party, None) as watch:
        return watch.follow(remote)


class WatchLog:
    """A node's watch over another node's log, again and again; a fork is told once and kept."""

    def __init__(self, settings: Settings, witness: WitnessSettings) -> None:
        self._settings, self._witness = settings, witness
        self._said = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop`` is set."""
        while not stop.is_set():
            await asyncio.to_thread(self._look)
            try:
                await asyncio.wait_for(stop.wait(), self._witness.every_seconds)
            except TimeoutError:
                continue

    def _look(self) -> None:
        try:
            self._say(self._follow())
        except (ServitwinError, OSError, ValueError) as e:
            self._say(f"{e}")

    def _follow(self) -> str:
        settings, witness = self._settings, self._witness
        party = witness.party
        if not party:
            records = SqlRecords(settings.records)
            party = operator_of(records)
            records.close()
        if not party:
            return "nobody operates this node: there is no party to co-sign for"
        folder = settings.witness_folder(witness.url)
        trust = authority(Path(witness.authority)) if witness.authority else None
        with (
            Client(witness.url, witness.token, trust=trust) as remote,
            open_witness(folder, PartyKeyFolder(settings.party_keys), party, settings.evidence) as watch,
        ):
            watch.follow(remote)
        return ""

    def _say(self, what: str) -> None:
        if what and what != self._said:
            log.error("log of %s: %s", self._witness.url, what)
        self._said = what
