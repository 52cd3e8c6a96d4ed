"""The monitor's own steps of cases: people may act meanwhile, and then it takes the next number."""

from __future__ import annotations

from servitwin.domain.case import CaseStep, StepBody
from servitwin.usecases.ports import Records

MONITOR = "monitor"


def add_monitor_step(records: Records, case: str, body: StepBody, now: int) -> None:
    """Add a step under the next free number."""
    added = False
    while not added:
        [(_, steps)] = records.cases(id=case)
        added = records.add_case_step(CaseStep(case, len(steps) + 1, now, MONITOR, body))
