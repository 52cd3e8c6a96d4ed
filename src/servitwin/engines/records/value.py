"""Baselines that parties agreed on, one after the other under a contract."""

from __future__ import annotations

from sqlalchemy import select

from servitwin.domain.savings import Baseline
from servitwin.engines.records import contract_tables as t
from servitwin.engines.records.database import add
from servitwin.engines.records.part import Part, decode, encode


class ValueRecords(Part):
    """What value is counted against."""

    def add_baseline(self, baseline: Baseline, at: int) -> bool:
        """Keep a baseline; False if one of that number is there."""
        row = {"contract": baseline.contract, "number": baseline.number, "at": at, "body": encode(baseline)}
        with self._database.write() as connection:
            return add(connection, t.baselines, row)

    def baselines(self, contract: str) -> list[Baseline]:
        """Baselines of a contract, oldest first."""
        c = t.baselines.c
        query = select(c.body).where(c.contract == contract).order_by(c.number)
        with self._database.read() as connection:
            return [decode(b, Baseline) for b in connection.execute(query).scalars()]
