"""Sets to learn from: what makes them useless is told at once, what is odd is left out with the reason."""

import numpy as np
import pytest

from servitwin.domain.error import InvalidInputError
from servitwin.domain.remaining_life.lives import read_lives
from tests.unit.life.wear import life, lives


def codes(dataset) -> set[str]:
    with pytest.raises(InvalidInputError) as caught:
        read_lives(dataset)
    assert all(f.message and f.hint for f in caught.value.faults)
    return {f.code for f in caught.value.faults}


def with_column(dataset, name, column):
    dataset["signals"] = [*dataset["signals"], name]
    for k, m in enumerate(dataset["machines"]):
        m["rows"] = np.column_stack([m["rows"], column(len(m["rows"]), k)]).tolist()
    return dataset


@pytest.mark.parametrize("failed", [0, 1])
def test_one_failure_or_none_is_refused(failed: int) -> None:
    few = lives(20)
    for k, m in enumerate(few["machines"]):
        m["failed"] = k < failed
    with pytest.raises(InvalidInputError) as caught:
        read_lives(few)
    fault = caught.value.fault
    assert fault.code == "life:too-few-failures" and str(failed) in fault.message
    assert ("age" in fault.hint) == bool(failed)


@pytest.mark.parametrize(
    "column",
    [
        lambda n, k: np.arange(n)[::-1],  # the label
        lambda n, k: np.minimum(np.arange(n)[::-1], 60),  # the label at its cap
        lambda n, k: np.exp(-np.arange(n)[::-1] / 30),  # made from it
        lambda n, k: (np.arange(n)[::-1] < 10).astype(float),  # a flag of the last ten rows
    ],
    ids=["label", "capped", "transformed", "flag"],
)
def test_a_column_that_gives_the_answer_away_is_refused(column) -> None:
    assert codes(with_column(lives(15), "leak", column)) == {"life:label-leaks"}


@pytest.mark.parametrize(
    "column",
    [
        lambda n, k: np.arange(n),  # the age
        lambda n, k: np.exp((np.arange(n) - n) / 20) + np.random.default_rng(k).normal(0, 0.05, n),  # plain wear
        lambda n, k: (np.random.default_rng(k).random(n) < 0.1).astype(float),
        lambda n, k: np.full(n, float(k % 3)),
    ],
    ids=["age", "wear", "flag", "model"],
)
def test_measurements_are_no_leaks(column) -> None:
    assert len(read_lives(with_column(lives(15), "honest", column)).lives) == 15


def test_a_stuck_sensor_and_a_changed_unit_leave_their_lives_out() -> None:
    some = lives(20)
    stuck, changed = np.array(some["machines"][3]["rows"]), np.array(some["machines"][7]["rows"])
    stuck[5:, 4] = stuck[5, 4]
    changed[20:, 2] = changed[20:, 2] * 1.8 + 32
    some["machines"][3]["rows"], some["machines"][7]["rows"] = stuck.tolist(), changed.tolist()
    found = read_lives(some)
    assert {(f.code, f.where) for f in found.left_out} == {
        ("life:sensor-stuck", "press-3.vibration"), ("life:unit-changed", "press-7.temperature")
    }  # fmt: skip
    assert len(found.lives) == 18


def test_all_faults_of_a_set_at_once() -> None:
    wrong = lives(12, cap=0, folds=1, confidence=2, failure_cost=3.0)
    wrong["signals"] = ["temperature", "temperature", "vibration", "noise"]
    wrong["machines"][1]["id"] = "press-0"
    wrong["machines"][2]["rows"][3] = [1.0]
    assert codes(wrong) == {
        "life:column-twice", "life:machine-twice", "life:row-length", "life:costs", "life:out-of-range",
    }  # fmt: skip
    assert codes({"machines": 3}) == {"life:wrong-shape"}


def test_what_was_not_measured_holds_the_last_value() -> None:
    some = lives(12)
    rows = some["machines"][0]["rows"]
    value = rows[10][2]
    for row in rows[11:14]:
        row[2] = None
    assert read_lives(some).lives[0].signals[13, 0] == value


def test_the_digest_names_the_data() -> None:
    assert read_lives(lives(12)).digest == read_lives(lives(12, incumbent="AAAA")).digest
    assert read_lives(lives(12)).digest != read_lives(lives(13)).digest
    assert len(life(1)) >= 45
