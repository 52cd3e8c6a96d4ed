"""Classes of wear hold as often as stated, and useless signals give "I do not know"."""

import csv
import gzip

import numpy as np
import pytest

from servitwin.domain.error import InvalidInputError
from servitwin.domain.wear_class import judge_wear, wear_class
from servitwin.services.maintenance.tool_wear import plugin
from tests.conftest import shared_data


def tools(seed: int, apart: float, count: int = 24):
    rng = np.random.default_rng(seed)
    worn = np.arange(count) % 2 == 1
    feed = rng.uniform(3, 20, (count, 1))
    return feed * 2 + rng.normal(0, 1, (count, 3)) + apart * worn[:, None], worn, feed


def asked(rows, worn, feed, i):
    keep = np.arange(len(worn)) != i
    return wear_class(rows[keep], worn[keep], feed[keep], rows[i], feed[i])


def test_signals_that_tell_are_known_whatever_the_feed() -> None:
    rows, worn, feed = tools(1, 4.0)
    said = [asked(rows, worn, feed, i).possible for i in range(len(worn))]
    right = sum(s == [("unworn", "worn")[w]] for s, w in zip(said, worn.tolist(), strict=True))
    assert right >= 16


@pytest.mark.parametrize("apart", [0.0, 1.5])
def test_the_true_class_is_possible_as_often_as_stated(apart: float) -> None:
    held = []
    for seed in range(12):
        rows, worn, feed = tools(seed, apart)
        held += [("unworn", "worn")[int(worn[i])] in asked(rows, worn, feed, i).possible for i in range(0, 24, 3)]
    assert np.mean(held) >= 0.74


def test_useless_signals_mostly_give_no_answer_and_few_tools_are_refused() -> None:
    rows, worn, feed = tools(3, 0.0)
    unknown = [len(asked(rows, worn, feed, i).possible) != 1 for i in range(len(worn))]
    assert np.mean(unknown) > 0.5
    with pytest.raises(InvalidInputError) as caught:
        wear_class(rows, np.zeros(len(worn), np.bool_), feed, rows[0], feed[0])
    assert caught.value.fault.code == "wear:too-few-tools"


def test_each_tool_is_judged_by_the_others() -> None:
    rows, worn, feed = tools(1, 4.0)
    found = judge_wear(rows, worn, feed)
    said = [asked(rows, worn, feed, i).possible for i in range(len(worn))]
    truth = [("unworn", "worn")[int(w)] for w in worn]
    assert found.tools == 24 and found.sure == sum(len(s) == 1 for s in said)
    assert found.right == sum(s == [t] for s, t in zip(said, truth, strict=True))
    assert found.held == sum(t in s for s, t in zip(said, truth, strict=True)) >= found.right


def test_recorded_experiments_hardly_tell_and_the_service_says_so() -> None:
    """Whole experiments of the University of Michigan's mill: 12 tools, and the honest answer is mostly not known."""
    folder = shared_data("cnc_mill_wear")
    signals = ("X1_OutputCurrent", "Y1_OutputCurrent", "S1_OutputCurrent")
    known = []
    for one in csv.DictReader((folder / "train.csv").read_text("utf-8").splitlines()):
        with gzip.open(folder / f"experiment_{int(one['No']):02d}.csv.gz", "rt") as file:
            rows = [r for r in csv.DictReader(file) if r["Machining_Process"].startswith("Layer")]
        means = [float(np.mean([abs(float(r[c])) for r in rows])) for c in signals]
        given = [float(one["feedrate"]), float(one["clamp_pressure"])]
        known.append({"id": one["No"], "signals": means, "given": given, "worn": one["tool_condition"] == "worn"})
    parameters = {"signals": list(signals), "given": ["feed", "clamp"], "tools": known}
    assert list(plugin.check(parameters)) == []
    x, g = np.array([k["signals"] for k in known]), np.array([k["given"] for k in known])
    found = judge_wear(x, np.array([k["worn"] for k in known]), g)
    assert found.tools == len(known) and found.held >= 0.75 * found.tools
    assert found.sure < 0.6 * found.tools  # whoever claims more has split by row
