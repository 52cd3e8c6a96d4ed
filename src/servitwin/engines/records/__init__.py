"""Records: twins, types, parties, commands, audit in SQLite or PostgreSQL."""

from servitwin.engines.records.migration import migrate
from servitwin.engines.records.records import SqlRecords

__all__ = ["SqlRecords", "migrate"]
