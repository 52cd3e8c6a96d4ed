"""Classes of wear hold as often as stated, and useless signals give "I do not know"."""

import numpy as np
import pytest

from servitwin.domain.error import InvalidInputError
from servitwin.domain.wear_class import wear_class


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
