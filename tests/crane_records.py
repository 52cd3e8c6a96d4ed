"""Records in a real database with one crane that tells its load."""

from __future__ import annotations

from pathlib import Path

from servitwin.domain.machine_type import MachineType
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.twin import Dated, Twin
from servitwin.engines.records import SqlRecords, migrate

UID = "019a0000-0000-7000-8000-000000000001"


def crane_records(folder: Path) -> SqlRecords:
    """Twin ``crane-1`` of type ``probe@1``."""
    url = f"sqlite:///{folder / 'records.db'}"
    migrate(url)
    records = SqlRecords(url)
    records.add_machine_type(MachineType("probe", 1, signals=(SignalDefinition("load", unit="t"),)))
    records.save_twin(Twin(UID, "crane-1", "machine", type=(Dated("probe@1", 0),)))
    return records
