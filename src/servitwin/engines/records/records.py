"""The records as a whole."""

from __future__ import annotations

from contextlib import AbstractContextManager

from servitwin.engines.records.cases import CaseRecords
from servitwin.engines.records.commands import CommandRecords
from servitwin.engines.records.contracts import ContractRecords
from servitwin.engines.records.controllers import ControllerRecords
from servitwin.engines.records.database import Database, open_engine
from servitwin.engines.records.deliveries import DeliveryRecords
from servitwin.engines.records.events import EventRecords
from servitwin.engines.records.machine_keys import MachineKeyRecords
from servitwin.engines.records.money import MoneyRecords
from servitwin.engines.records.outcomes import OutcomeRecords
from servitwin.engines.records.parties import PartyRecords
from servitwin.engines.records.planning import PlanningRecords
from servitwin.engines.records.releases import ReleaseRecords
from servitwin.engines.records.statements import StatementRecords
from servitwin.engines.records.traces import TraceRecords
from servitwin.engines.records.twins import TwinRecords
from servitwin.engines.records.value import ValueRecords


class SqlRecords(
    TwinRecords,
    PartyRecords,
    CommandRecords,
    EventRecords,
    OutcomeRecords,
    ContractRecords,
    MoneyRecords,
    ValueRecords,
    CaseRecords,
    StatementRecords,
    ControllerRecords,
    MachineKeyRecords,
    ReleaseRecords,
    PlanningRecords,
    TraceRecords,
    DeliveryRecords,
):
    """All records over one database; threads and processes may share it. ``migrate(url)`` comes first.

    ``url`` is an SQLAlchemy URL: ``sqlite:////data/records.db`` or ``postgresql+pg8000://user@host/name``.
    """

    def __init__(self, url: str) -> None:
        super().__init__(Database(open_engine(url)))

    def together(self, alone: str = "") -> AbstractContextManager[None]:
        """Reads and writes of this thread inside the block are one transaction: all of them are kept, or none.

        ``alone``: a name; blocks of the same name run one after the other, whatever process they run in.
        """
        return self._database.together(alone)

    def close(self) -> None:
        """Give the connections back."""
        self._database.engine.dispose()
