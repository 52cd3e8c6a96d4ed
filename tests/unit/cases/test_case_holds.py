"""What an open case needs stays, whatever retention would drop."""

from __future__ import annotations

from pathlib import Path

from servitwin.domain.case import Case, CaseStep, Closed, Found, Repaired, StepBody
from servitwin.domain.finding import Finding
from servitwin.domain.instant import DAY, HOUR
from servitwin.engines.records import SqlRecords, migrate
from servitwin.usecases.legal_hold import case_holds

NOW = 400 * DAY


def test_open_cases_hold_their_machine_and_for_a_day_around_what_is_proven_all(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'records.db'}"
    migrate(url)
    records = SqlRecords(url)

    def case(id: str, twin: str, days: tuple[int, ...], *more: StepBody) -> None:
        found = [Found(Finding(twin, id, "d", "", "high", d * DAY, d * DAY, d * DAY + HOUR)) for d in days]
        bodies = (*found, *more)
        steps = [CaseStep(id, n, 0, "monitor", body) for n, body in enumerate(bodies, start=1)]
        assert records.add_case(Case(id, twin, id, "d", "", "high", days[0] * DAY), steps)

    case("open", "crane", (100, 200))
    case("repaired", "crane", (150,), Repaired("", "lining", "part", "ann", 250 * DAY))
    case("closed", "saw", (20,), Closed("scrapped"))
    case("other", "mill", (300,))
    held = {(h.twin, h.start // DAY, h.end // DAY) for h in case_holds(records, NOW)}
    records.close()
    assert held == {
        ("crane", 99, 400), ("mill", 299, 400),
        ("", 149, 151), ("", 199, 201), ("", 249, 251), ("", 299, 301),
    }  # fmt: skip
