"""Days out of history are those that the live service gathers; late data and earlier owners are heeded."""

from __future__ import annotations

from pathlib import Path
from threading import Thread
from typing import Any

import msgspec
import pytest

from servitwin.domain.day_events import DayEvents
from servitwin.domain.instant import DAY, HOUR
from servitwin.domain.state_time_track import observations_of
from servitwin.domain.watched_failures import Watched
from servitwin.engines.history import DuckReader
from servitwin.engines.records import SqlRecords, migrate
from servitwin.usecases import watched_days
from servitwin.usecases.registry import Registry
from servitwin.usecases.watched_days import WatchedDays, WatchedMachine
from tests.unit.life.played import play, watch_parameters

UID, OTHER = "019a0b5e-7c00-7000-8000-000000000011", "019a0b5e-7c00-7000-8000-000000000012"
FIRST = 20_000
NOW = (FIRST + 40) * DAY + 3 * HOUR


def machine(id: str, days: int = 40) -> dict[str, Any]:
    means = [[round(18 + 0.1 * d, 3), None if d % 7 == 3 else 5.0 + d % 3] for d in range(days)]
    return {
        "id": id, "means": means, "errors": {"low": [2.5, 11.25, 11.5]}, "replaced": {"pump": [-30.0, 20.5]},
        "failed": {"pump": [20.5, 33.125]},
    }  # fmt: skip


SET = {"signals": ["pressure", "load"], "errors": ["low"], "components": ["pump"],
       "machines": [machine("a"), machine("b", 25)]}  # fmt: skip
WATCHED = msgspec.convert(watch_parameters(SET), Watched)


@pytest.fixture
def reader(tmp_path: Path) -> DuckReader:
    play(tmp_path / "history", SET, {"a": UID, "b": OTHER}, FIRST)
    return DuckReader(tmp_path / "history")


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    url = f"sqlite:///{tmp_path / 'records.db'}"
    migrate(url)
    return Registry(SqlRecords(url))


def watched(uid: str = UID, since: int = 0, repairs: dict[str, list[int]] | None = None) -> WatchedMachine:
    return WatchedMachine(uid, WATCHED, since, repairs or {})


@pytest.mark.parametrize("most", [200_000, 7])
def test_days_out_of_history_are_what_was_played_and_what_the_live_service_gathers(
    reader: DuckReader, registry: Registry, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(watched_days, "_MOST_ROWS", most)  # in one piece, and in many that are never larger
    days = WatchedDays(reader, registry).of([watched(), watched(OTHER)], NOW)
    one, two = days[UID], days[OTHER]
    assert (one.first_day, len(one.means), len(two.means)) == (FIRST, 40, 25)
    expected = [[m[1], m[0]] for m in SET["machines"][0]["means"]]  # by name: load, pressure
    assert one.means == [[None if v is None else pytest.approx(v, abs=1e-9) for v in row] for row in expected]
    assert one.errors == {"low": [2.5, 11.25, 11.5]}
    assert one.replaced == {"pump": [-30.0, 20.5]} and one.failed == {"pump": [20.5, 33.125]}
    live = DayEvents(list(WATCHED.means.values()), WATCHED.events, None, days=1000)
    for start in range((FIRST - 40) * DAY, NOW, 5 * DAY + 7 * HOUR):  # in steps, as the service takes them
        names = {*WATCHED.means.values(), *(e.signal for e in WATCHED.events.values())}
        end = min(start + 5 * DAY + 7 * HOUR, NOW)
        list(live.take({n: observations_of(reader.series(UID, n, start, end)) for n in names}, end))
    seen = live.machine(["load", "pressure"], ["low"], ["pump"])
    drop = FIRST - seen.first_day
    assert seen.means[drop:] == [[None if v is None else pytest.approx(v) for v in row] for row in one.means]
    moved = {n: [pytest.approx(t - drop) for t in times] for n, times in seen.failed.items()}
    assert moved == one.failed


def test_an_earlier_owners_days_and_events_do_not_teach(reader: DuckReader, registry: Registry) -> None:
    bought = (FIRST + 10) * DAY + HOUR  # the day on which it changed hands is nobody's alone
    one = WatchedDays(reader, registry).of([watched(since=bought)], NOW)[UID]
    assert one.first_day == FIRST + 11 and len(one.means) == 29
    assert one.errors == {"low": [0.25, 0.5]} and one.replaced == {"pump": [9.5]}
    assert one.failed == {"pump": [9.5, 22.125]}


def test_a_repair_that_a_signal_told_of_as_well_is_one(reader: DuckReader, registry: Registry) -> None:
    said = [round((FIRST + d) * DAY) for d in (20.9, 5.0, 5.5, 33.0)]
    one = WatchedDays(reader, registry).of([watched(repairs={"pump": said, "gear": said})], NOW)[UID]
    assert one.replaced == {"pump": [-30.0, 5.0, 20.5]}
    assert one.failed == {"pump": [20.5, 33.125]}


def test_days_go_on_and_late_data_have_their_machine_read_anew(
    reader: DuckReader, registry: Registry, tmp_path: Path
) -> None:
    days = WatchedDays(reader, registry)
    early = days.of([watched(), watched(OTHER)], NOW - 10 * DAY)
    assert len(early[UID].means) == 30 and early[UID].failed["pump"] == [20.5, 33.125][:1]
    late = {**SET, "machines": [{"id": "b", "means": [[None, None]] * 26 + [[21.0, 9.0]], "failed": {"pump": [26.5]}}]}
    play(tmp_path / "history", late, {"b": OTHER}, FIRST, seq=2)
    later = days.of([watched(), watched(OTHER)], NOW)
    assert later[UID].failed["pump"] == [20.5, 33.125] and len(later[UID].means) == 40
    assert later[OTHER].means[26] == [9.0, 21.0] and later[OTHER].failed["pump"] == [20.5, 26.5, 33.125]
    assert days.of([watched("019a0b5e-7c00-7000-8000-000000000099")], NOW) == {}


def test_what_was_read_is_not_read_again(
    reader: DuckReader, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = WatchedDays(reader, registry)
    first = days.of([watched()], NOW)
    asked: list[tuple[int, int]] = []
    read = reader.many_series
    monkeypatch.setattr(reader, "many_series", lambda w, a, b, **k: asked.append((a, b)) or read(w, a, b, **k))
    assert days.of([watched()], NOW + HOUR) == first and asked == []
    days.of([watched()], NOW + DAY)
    assert asked == [((FIRST + 40) * DAY, (FIRST + 41) * DAY)]


def test_machines_that_nobody_asks_for_any_more_are_forgotten(
    reader: DuckReader, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = WatchedDays(reader, registry)
    days.of([watched(), watched(OTHER)], NOW)
    asked: list[tuple[set[str], int]] = []
    read = reader.many_series
    monkeypatch.setattr(
        reader, "many_series", lambda w, a, b, **k: asked.append(({u for u, _ in w}, a)) or read(w, a, b, **k)
    )
    days.of([watched()], NOW + 20 * HOUR)
    days.of([watched()], NOW + 26 * HOUR)
    asked.clear()
    days.of([watched(), watched(OTHER)], NOW + 27 * HOUR)
    assert {frozenset(uids) for uids, _ in asked} == {frozenset({OTHER})}  # from its beginning, the other not at all
    assert min(start for _, start in asked) < FIRST * DAY


def test_days_are_brought_into_their_form_once_and_while_others_read(
    reader: DuckReader, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = WatchedDays(reader, registry)
    monkeypatch.setattr(watched_days, "_PATIENCE_S", 0.5)
    made: list[bool] = []
    form = DayEvents.machine

    def seen(self: DayEvents, *args: Any) -> Any:
        other = Thread(target=lambda: made.append(days.of([], NOW) == {}))
        other.start()
        other.join()
        return form(self, *args)

    monkeypatch.setattr(DayEvents, "machine", seen)
    first = days.of([watched()], NOW)[UID]
    assert made == [True]
    assert days.of([watched()], NOW + HOUR)[UID].means is first.means and made == [True]
    assert len(days.of([watched(since=(FIRST + 10) * DAY)], NOW)[UID].means) == 30 and len(made) == 2


def test_what_is_made_of_days_is_made_again_once_they_or_what_else_it_depends_on_have_changed(
    reader: DuckReader, registry: Registry, tmp_path: Path
) -> None:
    days, made = WatchedDays(reader, registry), list[int]()

    def once(now: int, on: str) -> int:
        seen = days.of([watched()], now).values()
        return days.once("mean", seen, on, lambda: made.append(0) or len(made), now)

    assert [once(NOW, "a"), once(NOW + HOUR, "a"), once(NOW + HOUR, "b"), once(NOW + DAY, "b")] == [1, 1, 2, 3]
    late = {**SET, "machines": [{"id": "a", "means": [[None, None]] * 20 + [[21.0, 9.0]]}]}
    play(tmp_path / "history", late, {"a": UID}, FIRST, seq=2)
    assert once(NOW + DAY + HOUR, "b") == 4
