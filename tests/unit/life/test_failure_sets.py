"""Sets of failures that teach nothing, or the wrong thing, and machines that nothing may be said of."""

from __future__ import annotations

import base64
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from servitwin.domain.error import InvalidInputError
from servitwin.domain.failure_events import read_events, usable_machines
from servitwin.domain.failure_horizon import read_horizon_book
from servitwin.domain.instant import DAY, HOUR
from servitwin.domain.observation import Observation
from servitwin.engines.files.folder import FileFolder
from servitwin.sdk.service import ServiceBatch, TwinView
from servitwin.services.maintenance.failure_horizon import plugin as trainer
from servitwin.services.maintenance.failure_watch import plugin as watch
from servitwin.usecases.worth_of_acting import WorthOfActing

DAYS = 60
BEGIN = 19_700 * DAY
PARAMETERS = {
    "means": {"pressure": "p"}, "errors": {"low": {"signal": "c", "says": "low"}},
    "failed": {"pump": {"signal": "c", "says": "stopped"}},
}  # fmt: skip


def pumps(count: int = 24, failing: int = 24) -> dict[str, Any]:
    """Pumps whose pressure falls over three days and which warn before they mostly fail, or (not ``failing``) never."""
    machines = []
    for k in range(count):
        rng = np.random.default_rng(k)
        means, failed, low = 18 + rng.normal(0, 0.3, DAYS), [], []
        if k < failing:
            day = int(rng.integers(15, DAYS - 5))
            failed = [day + 0.5]
            if k % 5:  # one in five fails without a sign
                means[day - 3 : day] -= [2, 4, 6]
                low = [float(day - rng.uniform(0.2, 2)), float(rng.uniform(0, DAYS))]
        machines.append(
            {"id": f"m{k}", "means": np.round(means, 2)[:, None].tolist(), "errors": {"low": low},
             "failed": {"pump": failed}, "replaced": {"pump": failed}}
        )  # fmt: skip
    return {
        "machine_type": "mill", "components": ["pump"], "signals": ["pressure"], "errors": ["low"],
        "machines": machines, "folds": 2, "preventive_cost": 400.0, "failure_cost": 2400.0, "currency": "EUR",
    }  # fmt: skip


def codes(dataset: dict[str, Any]) -> list[str]:
    return [f.code for f in trainer.check(dataset)]


@pytest.mark.parametrize("failing", [0, 1])
def test_one_failure_or_none_is_too_few_and_says_what_to_do_instead(failing: int) -> None:
    (fault,) = trainer.check(pumps(failing=failing))
    assert fault.code == "horizon:too-few-failures" and f"failed {failing} times" in fault.message
    assert fault.hint == (
        "Gather more, or plan by age until there are" if failing else "Nothing was seen to fail: leave it out"
    )
    with pytest.raises(InvalidInputError):
        trainer.fit(pumps(failing=failing), 1)


def on_one_machine(failing: dict[str, list[float]]) -> dict[str, Any]:
    """Pumps of which these machines alone failed."""
    found = pumps(24, 0)
    for m in found["machines"]:
        m["failed"]["pump"] = m["replaced"]["pump"] = failing.get(m["id"], [])
    return found


def test_failures_of_one_machine_alone_can_be_judged_on_no_other() -> None:
    often = [4.5 * k + 0.5 for k in range(1, 13)]
    (fault,) = trainer.check(on_one_machine({"m3": often}))
    assert (fault.code, fault.where) == ("horizon:too-few-machines", "pump") and "'m3' alone" in fault.message
    single = {**pumps(), "folds": 5}
    single["machines"] = on_one_machine({"m3": often})["machines"][3:4]
    assert codes(single) == ["horizon:too-few-machines"]
    both = {**on_one_machine({"m3": often, "m4": often}), "folds": 5}
    both["machines"] = both["machines"][3:5]  # fewer machines than parts to divide them into
    told = trainer.describe(trainer.fit(both, 1))
    assert told["candidate"]["failures"] > 10


def test_machines_that_were_seen_for_no_longer_than_the_horizon_are_left_out() -> None:
    found = pumps()
    found["machines"][2]["means"] = found["machines"][2]["means"][:2]
    assert "horizon:seen-too-short" in {f.code for f in usable_machines(read_events(found))[1]}
    assert "m2" not in [m.id for m in usable_machines(read_events(found))[0]]
    assert "horizon:too-few-failures" in codes({**pumps(), "horizon": DAYS})


def test_days_before_the_end_of_the_records_are_judged_only_if_what_followed_is_known() -> None:
    judged = read_horizon_book(trainer.fit({**pumps(24), "horizon": 5}, 1)).models["mill"]
    assert judged.quality["pump"].days == 12 * (DAYS - 5)


def with_column(name: str, of: Any) -> dict[str, Any]:
    """The same pumps with one column more, made of the machine and the day."""
    found = pumps()
    for m in found["machines"]:
        m["means"] = [[*row, float(of(m, d))] for d, row in enumerate(m["means"])]
    return {**found, "signals": ["pressure", name]}


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("days_left", lambda m, d: m["failed"]["pump"][0] - d),
        ("squared", lambda m, d: -((m["failed"]["pump"][0] - d) ** 2) if d < m["failed"]["pump"][0] else -9e4),
        ("soon", lambda m, d: 0 < m["failed"]["pump"][0] - d - 1 <= 4),
    ],
)
def test_a_column_made_from_the_failures_is_refused(name: str, of: Any) -> None:
    (fault,) = trainer.check(with_column(name, of))
    assert (fault.code, fault.where) == ("horizon:label-leaks", name) and "leave it out" in fault.hint


def test_an_error_made_from_the_failures_is_refused_and_one_that_announces_some_is_not() -> None:
    assert codes(pumps()) == []
    made = pumps()
    for m in made["machines"]:
        m["errors"]["low"] = [t - 0.25 for t in m["failed"]["pump"]]
    (fault,) = trainer.check(made)
    assert fault.code == "horizon:label-leaks" and "6.0 h before each failure" in fault.message
    for m in made["machines"][::4]:
        m["errors"]["low"].append(3.0)  # it comes at other times as well: then it may well be measured
    assert codes(made) == []
    assert codes(with_column("load", lambda m, d: 50 + 10 * np.sin(d))) == []


def test_a_stuck_sensor_and_a_unit_that_changes_half_way_leave_their_machine_out_and_say_so() -> None:
    found = pumps()
    for row in found["machines"][3]["means"][20:50]:
        row[0] = 18.0
    for row in found["machines"][5]["means"][30:]:
        row[0] = round(row[0] * 14.5038, 2)  # bar, then psi
    used, left_out = usable_machines(read_events(found))
    assert len(used) == 22
    assert {(f.code, f.where) for f in left_out} == {
        ("horizon:sensor-stuck", "m3.pressure"), ("horizon:unit-changed", "m5.pressure")
    }  # fmt: skip
    told = trainer.describe(trainer.fit(found, 1))["models"]["mill"]
    assert told["machines"] == 22 and {f["code"] for f in told["left_out"]} == {f.code for f in left_out}


def test_what_is_left_after_odd_machines_must_still_be_enough() -> None:
    found = pumps(failing=10)
    for row in found["machines"][3]["means"]:
        row[0] = 18.0
    assert codes(found) == ["horizon:too-few-failures", "horizon:sensor-stuck"]


@pytest.fixture(scope="module")
def model() -> bytes:
    return trainer.fit(pumps(60, 60), 1)


def said(model: bytes, pressure: list[float | None], machine_type: str = "mill", told: str = "") -> dict[str, Any]:
    """The last word on a machine whose daily pressure was that; ``told`` on the last day."""
    artefact = {"digest": "sha256:a", "content": base64.b64encode(model).decode()}
    view = msgspec.convert(
        {"twin": {"uid": "0190a000-0000-7000-8000-000000000001", "id": "m", "kind": "machine"},
         "type": {"name": machine_type, "version": 1}, "artefacts": {"failure_horizon": artefact}},
        TwinView,
    )  # fmt: skip
    times = [BEGIN + d * DAY + h * HOUR for d in range(len(pressure)) for h in (3, 9, 15)]
    values = [v if v is None else v + w for v in pressure for w in (-0.1, 0.0, 0.1)]
    seen = [
        Observation(t, v, shard=0, seq=k) for k, (t, v) in enumerate(zip(times, values, strict=True)) if v is not None
    ]
    words = [Observation(BEGIN, "normal", shard=0, seq=10_000)]
    words += [Observation(BEGIN + (len(pressure) - 1) * DAY + HOUR, told, shard=0, seq=10_001)] if told else []
    one = watch.open(view, PARAMETERS, None)
    outcome = one.step(ServiceBatch({"p": seen, "c": words}), BEGIN + len(pressure) * DAY)
    return dict([r["failure_chance"] for r in outcome.results if "failure_chance" in r][-1])


def wobbling(days: int) -> list[float | None]:
    return [round(18 + 0.2 * (-1) ** d + 0.01 * d, 2) for d in range(days)]


def test_a_pump_that_announces_its_failure_is_told_with_reasons(model: bytes) -> None:
    quiet = said(model, wobbling(20))
    assert quiet["known"] and not quiet["components"]["pump"]["alarm"]
    loud = said(model, [*wobbling(17), 16.1, 14.0, 12.1], told="pressure low")["components"]["pump"]
    assert loud["alarm"] and loud["chance"] > 0.3 > quiet["components"]["pump"]["chance"]
    assert any("pressure was 12.1 yesterday" in r for r in loud["reasons"])


def test_what_acting_on_such_words_is_worth_is_money_with_its_interval(model: bytes, tmp_path: Path) -> None:
    files = FileFolder(tmp_path)
    known = WorthOfActing(files)
    worth = known.of(files.put(model), "mill/pump")
    assert worth is not None and (worth.currency, worth.per) == ("EUR", "machine-day")
    assert worth.acting_low <= worth.acting <= worth.acting_high < worth.waiting
    assert worth.judged > 20 and worth.missed < 0.3 * worth.judged and worth.right is not None and worth.right > 0.5
    assert Decimal(0) < worth.saved_low < worth.saved_high < worth.waiting
    assert known.of(files.put(model), "mill/gear") is None and known.of("", "mill/pump") is None
    assert known.of(files.put(b"no model"), "mill/pump") is None
    free = trainer.fit({**pumps(60, 60), "currency": "", "preventive_cost": 2.0, "failure_cost": 12.0}, 1)
    ratio = known.of(files.put(free), "mill/pump")  # without money: in planned replacements
    assert ratio is not None and ratio.currency == "" and ratio.waiting == pytest.approx(worth.waiting / 400, rel=0.01)


@pytest.mark.parametrize(
    ("pressure", "machine_type", "code"),
    [
        (wobbling(20), "lathe", "failure-watch:type-unknown"),
        ([*wobbling(14), *[18.0] * 6], "mill", "failure-watch:sensor-stuck"),
        ([*wobbling(14), *(v * 14.5 for v in wobbling(6))], "mill", "failure-watch:signal-outside"),
        (wobbling(2), "mill", "failure-watch:too-little-seen"),
    ],
)
def test_a_machine_that_nothing_may_be_said_of(model: bytes, pressure: Any, machine_type: str, code: str) -> None:
    one = said(model, pressure, machine_type)
    assert not one["known"] and one["components"] == {}
    assert code in [d["code"] for d in one["doubts"]] and all(d["hint"] for d in one["doubts"])


def test_models_of_an_older_version_are_a_doubt_and_no_fault_of_the_watch() -> None:
    one = said(msgspec.msgpack.encode({"machine_type": "mill", "format": 2}), wobbling(20))
    assert not one["known"] and [d["code"] for d in one["doubts"]] == ["horizon:model-format"]


def test_another_type_joins_the_book_and_the_same_data_again_change_nothing(model: bytes) -> None:
    present = {"incumbent": base64.b64encode(model).decode()}
    joined = trainer.describe(trainer.fit({**pumps(60, 60), **present, "machine_type": "lathe"}, 1))
    assert set(joined["models"]) == {"lathe", "mill"} and joined["accepted"] and joined["score"] == 2
    again = trainer.describe(trainer.fit({**pumps(60, 60), **present}, 2))
    assert not again["accepted"] and again["score"] == 1
    assert again["verdict"].startswith("Only 0 failures came that the one in use has not learnt from")
    (fault,) = trainer.check({**pumps(60, 60), "incumbent": "%"})
    assert (fault.code, fault.where) == ("horizon:not-a-model", "incumbent")


def test_a_model_of_noise_is_not_taken_in() -> None:
    noise = pumps(60, 60)
    for k, m in enumerate(noise["machines"]):
        rng = np.random.default_rng(1000 + k)
        m["means"] = np.round(18 + rng.normal(0, 0.3, (DAYS, 1)), 2).tolist()
        m["errors"]["low"], m["replaced"] = rng.uniform(0, DAYS, 2).tolist(), {}
        m["failed"]["pump"] = rng.uniform(0, DAYS, rng.poisson(2)).tolist()  # at any time, however old it is
    found = trainer.describe(trainer.fit(noise, 1))
    assert not found["accepted"] and "nothing was learnt" in found["verdict"] and found["models"] == {}
