"""The evidence process: owns the log, binds what was committed, and watches over other nodes' logs. It gives way."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from concurrent.futures import ThreadPoolExecutor

from servitwin.bootstrap.operator import operator_of
from servitwin.bootstrap.priority import give_way
from servitwin.bootstrap.watch_log import WatchLog
from servitwin.bootstrap.worker import report_ready
from servitwin.config import Settings
from servitwin.domain.error import ServitwinError
from servitwin.engines.bus.client import BusClient
from servitwin.engines.files.evidence_log import EvidenceLog
from servitwin.engines.files.log_heads import LogHeads
from servitwin.engines.files.party_keys import PartyKeyFolder
from servitwin.engines.history.bound import CommittedRows
from servitwin.engines.records import SqlRecords
from servitwin.engines.remote.timestamp_authority import post_query
from servitwin.proof.log.catalogue import ROW, describe
from servitwin.usecases.bind_observations import plain_body, unbound
from servitwin.usecases.keep_log import KeepLog
from servitwin.usecases.log_desk import LogDesk
from servitwin.usecases.stamp_heads import StampHeads

log = logging.getLogger("servitwin.evidence")
_LOOK_EVERY_S = 0.5
_KEYS_EVERY_S = 5.0
_QUICK_S = 2.0
_HEAD_EVERY_S = 5.0
_AUTHORITY_AGAIN_S = 60.0


def run(settings: Settings) -> None:
    """Until SIGTERM; what was committed just before is bound before the process ends."""
    give_way()
    asyncio.run(EvidenceWorker(settings).run())


class EvidenceWorker:
    """One thread does all that touches the log, so that it has one writer inside the process too."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._records = SqlRecords(settings.records)
        self._keys = PartyKeyFolder(settings.party_keys)
        self._rows = CommittedRows(settings.history)
        self._log: EvidenceLog | None = None
        self._keep: KeepLog | None = None
        self._stop = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="evidence")
        self._said = ""

    async def run(self) -> None:
        """Work until told to stop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        s = self._settings.bus
        bus = await BusClient.connect(s.host, s.port, s.user, s.password, "evidence")
        desk = LogDesk(lambda: self._keep)

        async def answer(payload: bytes) -> bytes:
            return await loop.run_in_executor(self._thread, desk.handle, payload)

        await bus.answer("ask.evidence", answer)
        await bus.flush()
        watching = [asyncio.create_task(WatchLog(self._settings, w).run(self._stop)) for w in self._settings.witness]
        if self._settings.timestamp.url:
            watching.append(asyncio.create_task(self._stamp()))
        report_ready()
        bound, keys = 0.0, 0.0
        more, slow = False, False
        while not self._stop.is_set():
            now = time.monotonic()
            bind, state = now - bound >= self._settings.bind_seconds, now - keys >= _KEYS_EVERY_S
            more = await loop.run_in_executor(self._thread, self._step, bind, state)
            bound = 0.0 if more else now if bind else bound
            slow = time.monotonic() - now > _QUICK_S if bind else slow
            keys = now if state else keys
            if not more:
                await self._pause(_LOOK_EVERY_S)
        # A long past, or a machine that leaves this process no time: what is left is bound by the next start.
        await loop.run_in_executor(self._thread, self._step, not (more or slow), True)
        await asyncio.gather(*watching, return_exceptions=True)
        await bus.close()
        await loop.run_in_executor(self._thread, self._close)
        self._records.close()

    async def _stamp(self) -> None:
        """Have the newest head stamped, now and then; an authority that does not answer is asked again soon."""
        at = self._settings.timestamp
        heads = StampHeads(LogHeads(self._settings.evidence), at.url, post_query)
        said = ""
        while not self._stop.is_set():
            try:
                found = await asyncio.to_thread(heads.stamp)
                if found is not None:
                    log.info("the head of %d entries has a time stamp of %s", found.head.head.size, at.url)
                said, pause = "", at.every_seconds if found is not None else _HEAD_EVERY_S
            except (ServitwinError, OSError) as e:
                if str(e) != said:
                    log.warning("no time stamp: %s", e)
                said, pause = str(e), min(at.every_seconds, _AUTHORITY_AGAIN_S)
            await self._pause(pause)

    def _step(self, bind: bool, state: bool) -> bool:
        """A round of work; whether there is more that should not wait."""
        try:
            keep = self._opened()
            if keep is None:
                return False
            if state:
                keep.state_keys()
            more = keep.take_waiting() >= 1000
            if bind:
                more = self._bind(keep) or more
            self._say("")
        except (ServitwinError, OSError, ValueError) as e:
            self._say(str(e))
            return False
        return more

    def _bind(self, keep: KeepLog) -> bool:
        committed = self._rows.committed()
        bodies = list(unbound(self._rows, keep.bound(), time.time_ns(), keys=self._records.machine_keys()))
        if bodies:
            keep.bind([(b.shard, b.last, plain_body(b)) for b in bodies])
        return any(b.last < committed[b.shard] for b in bodies)

    def _opened(self) -> KeepLog | None:
        """The owner of the log, once somebody operates this node."""
        if self._keep is None:
            folder = self._settings.evidence
            if self._log is None:
                self._log = EvidenceLog(folder, ROW, describe)
            self._keep = KeepLog(
                self._log, LogHeads(folder), self._keys, self._records, lambda: operator_of(self._records), time.time_ns
            )
        return self._keep if self._keep.open() else None

    def _say(self, what: str) -> None:
        """What is wrong, once; and that it is over."""
        if what != self._said:
            if what:
                log.error("the evidence log: %s", what)
            else:
                log.info("the evidence log goes on")
            self._said = what

    def _close(self) -> None:
        if self._log is not None:
            self._log.close()

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return
