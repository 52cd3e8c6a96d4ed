"""The watch over requirements beside the event loop of the services process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from pathlib import Path

from servitwin.bootstrap.operator import operator_of
from servitwin.domain.error import ServitwinError
from servitwin.engines.files.evidence_log import EvidenceReader
from servitwin.engines.records import SqlRecords
from servitwin.proof.log.catalogue import ROW, last_sequences
from servitwin.usecases.join_alarms import JoinAlarms
from servitwin.usecases.keep_cases import KeepCases
from servitwin.usecases.ports import HistoryReader
from servitwin.usecases.registry import Registry
from servitwin.usecases.requirement_set import RequirementSet
from servitwin.usecases.state_evidence import StateEvidence
from servitwin.usecases.watch_requirements import WatchRequirements

log = logging.getLogger("servitwin.requirements")
EVERY_S = 3.0
_PROVE_EVERY = 3  # rounds


class RequirementWatch:
    """Advances all monitors every few seconds in a thread; a node without requirements opens no history for it."""

    def __init__(
        self,
        history: HistoryReader,
        registry: Registry,
        records: SqlRecords,
        publish: Callable[[str, bytes], None],
        new_id: Callable[[], str],
        log: Path,
    ) -> None:
        """``publish`` may be called from any thread; ``log``: folder of the evidence log."""
        reader = EvidenceReader(log, ROW)
        evidence = StateEvidence(records, lambda: operator_of(records))
        self._demands = RequirementSet(registry, records)
        self._cases = KeepCases(
            history, registry, records, evidence, publish, new_id, lambda: last_sequences(reader.catalogue())
        )
        self._watch = WatchRequirements(history, registry, records, self._demands, self._cases)
        self._alarms = JoinAlarms(history, registry, records, self._cases)
        self.status: dict[str, object] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop`` is set; then where the monitors stand is kept."""
        rounds = 0
        while not stop.is_set():
            await asyncio.to_thread(self._round, rounds)
            rounds += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), EVERY_S)
        with contextlib.suppress(ServitwinError):
            await asyncio.to_thread(self._watch.close)

    def _round(self, number: int) -> None:
        began = time.monotonic()
        try:
            watched = self._watch.advance(time.time_ns())
            self._alarms.advance(time.time_ns())
            proven = self._cases.prove_repairs(self._demands, time.time_ns()) if number % _PROVE_EVERY == 0 else 0
        except ServitwinError as e:
            log.info("requirements wait: %s", e)
            return
        except Exception as e:  # an engine that fails in a way nobody foresaw: told, and tried again
            log.exception("the watch over requirements failed; it goes on with the next round")
            self.status = {**self.status, "failed": f"{type(e).__name__}: {e}"}
            return
        if proven:
            log.info("%d repairs are proven", proven)
        self.status = {
            "requirements": watched,
            "seconds": round(time.monotonic() - began, 3),
            "failures": {**self._watch.failures, **self._alarms.failures, **self._cases.failures},
        }
