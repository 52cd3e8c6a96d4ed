"""Regimes found in settings: named in words, each with its own normal, and what fits none of them is not judged."""

from __future__ import annotations

import numpy as np
import pytest

from servitwin.domain.anomaly.bins import BETWEEN, Bins, SettingBins
from servitwin.domain.anomaly.found_regimes import CHANGED, NOT_KNOWN, NOT_LEARNT, find_regimes
from servitwin.domain.anomaly.learn import learn
from servitwin.domain.anomaly.model import AnomalyModel, AnomalySettings
from servitwin.domain.anomaly.stretch import Stretches
from servitwin.domain.anomaly.watch import AnomalyWatch
from servitwin.domain.error import InvalidInputError
from servitwin.domain.observation import Floats

SETTINGS = AnomalySettings(every=300_000_000_000)
NAMES = ("load", "heat")
SLOW, FAST = "spindle_speed 1200, feed 0.1", "spindle_speed 3000, feed 0.3"


def bins(speed: Floats, feed: Floats, values: Floats, first: int = 0, words: list[str] | None = None) -> Bins:
    count = len(speed)
    settings = SettingBins(("spindle_speed", "feed"), np.column_stack([speed, feed]), np.zeros((count, 2)))
    number = np.arange(first, first + count, dtype=np.int64)
    high = np.nextafter(values, np.inf)
    return Bins(number, values, values, high, words or ["all"] * count, np.ones(count, np.int64), settings)


def mill(count: int, seed: int, first: int = 0) -> Bins:
    """Slow: load 20 +- 1; fast: load 60 +- 4; from five to sixty bins at a time, the bin of the change in between."""
    rng = np.random.default_rng(seed)
    fast, changing = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    at = 0
    while at < count:
        held = int(rng.integers(5, 60))
        fast[at : at + held] = not fast[at - 1]
        changing[at] = at > 0
        at += held
    noise = rng.standard_normal((count, 2))
    load = np.where(fast, 60 + 4 * noise[:, 0], 20 + noise[:, 0])
    heat = np.where(fast, 45.0, 30.0) + np.where(fast, 0.3, 1.5) * noise[:, 1]
    made = bins(np.where(fast, 3000.0, 1200.0), np.where(fast, 0.3, 0.1), np.column_stack([load, heat]), first)
    assert made.settings is not None
    made.settings.mean[changing, 0] = 1200 + 1800 * rng.random(int(changing.sum()))
    made.settings.span[changing, 0] = 1800
    return made


def learnt(seed: int = 1) -> AnomalyModel:
    return learn(NAMES, mill(2016, seed), SETTINGS)


def test_two_speeds_of_a_mill_are_two_regimes_with_names_in_words() -> None:
    model = learnt()
    assert set(model.regimes) == {SLOW, FAST} and not model.left_out
    [note] = model.notes
    assert note.code == "anomaly:settings-rare" and "bins belong to no regime" in note.message


def test_false_alarms_stay_at_the_stated_rate_while_regimes_change() -> None:
    begun = judged = 0
    for seed in range(10):
        scores = AnomalyWatch(learnt(seed)).judge(mill(6000, seed + 100, 2016))
        begun += len({s.start for s in Stretches(learnt(seed)).take(scores)})
        judged += int((~np.isnan(scores.score)).sum())
    assert judged > 50_000
    assert begun <= SETTINGS.false_rate * judged


def test_what_is_normal_in_one_regime_is_a_fault_in_the_other() -> None:
    model, fresh = learnt(), mill(600, 7, 2016)
    assert fresh.settings is not None
    slow = (fresh.settings.mean[:, 0] == 1200) & (np.arange(600) > 200)
    fresh.mean[slow, 0] += 6  # well within the four times wider scatter of the fast regime
    scores = AnomalyWatch(model).judge(fresh)
    assert np.nanmean(scores.score[slow] > 1) > 0.9
    assert np.nanmean(scores.score[~slow] > 1) < 0.01
    first = Stretches(model).take(scores)[0]
    assert first.signals[0].signal == "load" and first.start >= (2016 + 200) * SETTINGS.every


def test_without_settings_the_same_fault_is_not_seen() -> None:
    stretch, fresh = mill(2016, 1), mill(600, 7, 2016)
    assert fresh.settings is not None
    slow = (fresh.settings.mean[:, 0] == 1200) & (np.arange(600) > 200)
    fresh.mean[slow, 0] += 6
    stretch.settings = fresh.settings = None
    scores = AnomalyWatch(learn(NAMES, stretch, SETTINGS)).judge(fresh)
    assert np.nanmean(scores.score[slow] > 1) < 0.05


def test_a_setting_never_seen_changed_or_not_known_is_not_judged_and_says_why() -> None:
    model, fresh = learnt(), mill(60, 8, 2016)
    assert fresh.settings is not None
    fresh.settings.mean[:] = [1200, 0.1]
    fresh.settings.span[:] = 0
    fresh.settings.mean[10:20, 0] = 5000  # no such speed
    fresh.settings.mean[20:30] = [1200, 0.3]  # both seen, never together
    fresh.settings.mean[30:40, 1] = np.nan
    fresh.settings.span[40:50, 0] = 1800  # changed within the bin
    scores = AnomalyWatch(model).judge(fresh)
    assert scores.why[:10] == [""] * 10 and scores.why[50:] == [""] * 10
    assert [set(scores.why[a : a + 10]) for a in (10, 20, 30, 40)] == [
        {NOT_LEARNT}, {NOT_LEARNT}, {NOT_KNOWN}, {CHANGED},
    ]  # fmt: skip
    assert np.isnan(scores.score[10:50]).all() and not np.isnan(scores.score[:10]).any()
    fresh.settings = None
    assert set(AnomalyWatch(model).judge(fresh).why) == {NOT_KNOWN}


def test_a_change_whose_mean_is_that_of_a_third_regime_is_no_regime() -> None:
    speed = np.repeat([1000.0, 2000.0, 3000.0], 100)
    values = np.random.default_rng(1).standard_normal((300, 2))
    stretch = bins(speed, np.full(300, 0.1), values)
    found, _, _ = find_regimes(stretch, SETTINGS.least)
    half = bins(np.array([2000.0]), np.array([0.1]), values[:1])
    assert half.settings is not None
    assert found.named(half)[0] == ["spindle_speed 2000, feed 0.1"]
    half.settings.span[0, 0] = 2000
    assert found.named(half) == ([BETWEEN], [CHANGED])


def test_settings_that_part_nothing_are_named_and_all_is_one_regime() -> None:
    rng = np.random.default_rng(5)
    stretch = bins(rng.uniform(800, 1600, 500), np.full(500, 0.2), rng.standard_normal((500, 2)))
    model = learn(NAMES, stretch, SETTINGS)
    assert list(model.regimes) == ["spindle_speed 800 to 1600, feed 0.2"]
    assert [(f.code, f.where) for f in model.notes] == [
        ("anomaly:setting-varies-freely", "spindle_speed"), ("anomaly:setting-constant", "feed"),
    ]  # fmt: skip
    assert all(f.message and f.hint for f in model.notes)
    far = bins(np.array([1500.0, 3000.0]), np.full(2, 0.2), rng.standard_normal((2, 2)), 500)
    assert AnomalyWatch(model).judge(far).why == ["", NOT_LEARNT]


def test_each_word_has_regimes_of_its_own() -> None:
    """By hand the speed varies freely, in automatic there are two; words and numbers together name a regime."""
    rng = np.random.default_rng(6)
    words = ["auto"] * 400 + ["hand"] * 400 + [BETWEEN] * 20
    speed = np.concatenate([np.repeat([1200.0, 3000.0] * 4, 50), rng.uniform(500, 4000, 420)])
    stretch = bins(speed, np.full(820, 0.2), rng.standard_normal((820, 2)), words=words)
    model = learn(NAMES, stretch, SETTINGS)
    assert {n: r.bins for n, r in model.regimes.items()} == {
        "auto, spindle_speed 1200, feed 0.2": 200,
        "auto, spindle_speed 3000, feed 0.2": 200,
        "hand, spindle_speed 500 to 4000, feed 0.2": 400,
    }
    other = bins(np.array([1200.0]), np.array([0.2]), rng.standard_normal((1, 2)), 900, ["moon"])
    assert AnomalyWatch(model).judge(other).why == [NOT_LEARNT]


def test_settings_that_say_nothing_are_refused_in_words() -> None:
    values = np.random.default_rng(1).standard_normal((200, 2))
    unknown = bins(np.full(200, np.nan), np.full(200, 0.1), values)
    brief = bins(np.repeat(np.arange(20.0), 10), np.full(200, 0.1), values)
    assert unknown.settings is not None and brief.settings is not None
    brief.settings.span[::2, 0] = 1e6
    for stretch, code, where in (
        (unknown, "anomaly:setting-unknown", "spindle_speed"),
        (brief.first(30), "anomaly:settings-not-held", "settings"),
    ):
        with pytest.raises(InvalidInputError) as refused:
            learn(NAMES, stretch, SETTINGS)
        assert [(f.code, f.where) for f in refused.value.faults] == [(code, where)]
        assert all(f.message and f.hint for f in refused.value.faults)


def test_names_that_would_be_the_same_show_all_digits() -> None:
    speed = np.concatenate([np.linspace(20, 21.1, 60), np.linspace(22.2, 23.3, 60), np.full(60, 100.0)])
    stretch = bins(speed, np.full(180, 1.0), np.random.default_rng(1).standard_normal((180, 2)))
    assert [r.name for r in find_regimes(stretch, 40)[0].of["all"]] == [
        "spindle_speed 20 to 21.1, feed 1", "spindle_speed 22.2 to 23.3, feed 1", "spindle_speed 100, feed 1",
    ]  # fmt: skip


def one_setting(speed: Floats, span: Floats) -> Bins:
    made = bins(speed, np.full(len(speed), 1.0), np.random.default_rng(1).standard_normal((len(speed), 2)))
    assert made.settings is not None
    made.settings.span[:, 0] = span
    return made


def test_regimes_reach_towards_each_other_without_meeting() -> None:
    speed = np.concatenate([np.linspace(0, 10, 100), np.linspace(16, 26, 100)])
    found, _, _ = find_regimes(one_setting(speed, np.full(200, 2.5)), SETTINGS.least)
    names, why = found.named(one_setting(np.array([12.0, 13.0, 14.0, 40.0]), np.zeros(4)))
    assert names == ["spindle_speed 0 to 10, feed 1", BETWEEN, "spindle_speed 16 to 26, feed 1", BETWEEN]
    assert why == ["", NOT_LEARNT, "", NOT_LEARNT]


def test_what_wanders_in_many_steps_is_one_regime() -> None:
    """An ambient temperature read in half degrees, each of which holds for hours."""
    heat = np.round(2 * (20 + 5 * np.sin(np.arange(2016) / 288 * 2 * np.pi))) / 2
    found, _, notes = find_regimes(one_setting(heat, np.zeros(2016)), SETTINGS.least)
    assert [r.name for r in found.of["all"]] == ["spindle_speed 15 to 25, feed 1"]
    assert notes[0].code == "anomaly:setting-varies-freely"


def test_bins_on_the_way_are_many_and_still_no_regime() -> None:
    rng = np.random.default_rng(2)
    speed, span = np.repeat(rng.choice([0.0, 3000.0], 100), 20), np.zeros(2000)
    way = rng.random(2000) < 0.15
    speed[way], span[way] = rng.uniform(100, 2900, int(way.sum())), 2000
    found, _, notes = find_regimes(one_setting(speed, span), SETTINGS.least)
    assert [r.name for r in found.of["all"]] == ["spindle_speed 0, feed 1", "spindle_speed 3000, feed 1"]
    assert [n.message for n in notes][-1] == f"{int(way.sum())} of 2000 bins belong to no regime"
