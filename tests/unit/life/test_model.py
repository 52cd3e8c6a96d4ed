"""Learnt models: plain arrays say what the libraries say, intervals hold on machines not seen, doubts come first."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.remaining_life.features import features
from servitwin.domain.remaining_life.intervals import calibrate
from servitwin.domain.remaining_life.known import Seen
from servitwin.domain.remaining_life.lives import is_kept_out, read_lives
from servitwin.domain.remaining_life.measure import asymmetric_score, quality
from servitwin.domain.remaining_life.moments import moments, stack
from servitwin.domain.remaining_life.predict import predict, predict_many
from servitwin.domain.remaining_life.reasons import reasons
from servitwin.domain.remaining_life.regimes import find_regimes
from servitwin.services.maintenance.remaining_life_training import grow
from servitwin.services.maintenance.remaining_life_training.learn import judge
from tests.unit.life.quick import book, model, trained
from tests.unit.life.wear import life, lives


def seen(rows: np.ndarray, **more) -> Seen:
    return Seen(rows[:, :2], rows[:, 2:], **{"machine_type": "press", **more})


def test_the_asymmetric_score_of_an_early_and_a_late_prediction() -> None:
    assert asymmetric_score(np.array([90.0, 110.0]), np.array([100.0, 100.0])) == pytest.approx(2.876, abs=0.0005)


def test_trees_as_arrays_say_what_lightgbm_says() -> None:
    import lightgbm

    rng = np.random.default_rng(3)
    rows = rng.normal(size=(800, 7))
    target = rows[:, 0] * 3 + np.abs(rows[:, 1]) + rng.normal(0, 0.2, 800)
    data = lightgbm.Dataset(rows, target, params={"verbosity": -1})
    booster = lightgbm.train({"num_leaves": 31, "verbosity": -1, "num_threads": 1}, data, num_boost_round=60)
    ours = grow.forest_of_text(booster.model_to_string())
    new = rng.normal(size=(1000, 7)) * 2
    np.testing.assert_allclose(ours.predict(new), booster.predict(new), rtol=1e-12, atol=1e-12)
    constant = lightgbm.train({"verbosity": -1, "num_threads": 1}, lightgbm.Dataset(rows, np.ones(800)), 3)
    np.testing.assert_allclose(
        grow.forest_of_text(constant.model_to_string()).predict(new[:5]), constant.predict(new[:5])
    )


def test_networks_as_arrays_say_what_scikit_learn_says() -> None:
    from sklearn.neural_network import MLPRegressor

    rng = np.random.default_rng(4)
    rows = rng.normal(5, 2, size=(300, 6)).astype(np.float32).astype(np.float64)
    one = MLPRegressor(hidden_layer_sizes=(8, 4), max_iter=30, random_state=1)
    one.fit(rows, rows[:, 0] * 2)
    layers = list(zip(one.coefs_, one.intercepts_, strict=True))
    ours = grow.network(layers, np.zeros(6), np.ones(6), 1.0, 2.0)
    np.testing.assert_allclose(ours.predict(rows), 1 + 2 * one.predict(rows), rtol=1e-4, atol=1e-4)


def test_regimes_are_found_where_there_are_some() -> None:
    rng = np.random.default_rng(5)
    centres = np.array([[0, 100.0], [10, 60], [20, 100], [25, 80], [35, 60], [42, 40]])
    settings = centres[rng.integers(0, 6, 3000)] + rng.normal(0, 0.01, (3000, 2))
    signals = settings[:, :1] * 5 + rng.normal(0, 1, (3000, 2))
    found = find_regimes(settings, signals)
    assert len(found.centres) == 6
    normal = found.normal(signals, found.of(settings)[0])
    assert np.abs(normal.mean(0)).max() < 0.05
    assert len(find_regimes(rng.normal(0, 1, (3000, 2)), signals).centres) == 1
    assert len(find_regimes(np.full((3000, 2), 7.0), signals).centres) == 1


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 120), st.integers(1, 90))
def test_features_see_the_own_past_alone(seed: int, length: int, other: int) -> None:
    rng = np.random.default_rng(seed)
    mine, before = rng.normal(size=(length, 3)), rng.normal(size=(other, 3)) * 50
    alone = features(mine, np.array([0]))
    both = features(np.vstack([before, mine, before]), np.array([0, other, other + length]))
    np.testing.assert_allclose(both[other : other + length], alone, atol=1e-9)
    half = max(1, length // 2)
    np.testing.assert_allclose(features(mine[:half], np.array([0])), alone[:half], atol=1e-9)
    np.testing.assert_allclose(features(mine, np.array([0]), only=np.array([length - 1]))[0], alone[-1], atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.8, 0.9]))
def test_intervals_hold_on_the_same_kind_of_machines(seed: int, confidence: float) -> None:
    rng = np.random.default_rng(seed)
    predicted = rng.uniform(0, 125, 4000)
    true = np.clip(predicted + rng.normal(0, 2 + predicted / 8), 0, 125)
    known = calibrate(predicted[:2000], true[:2000])
    low, high = known.interval(predicted[2000:], confidence, 125)
    inside = (low <= true[2000:]) & (true[2000:] <= high)
    assert inside.mean() >= confidence - 0.04
    near = true[2000:] < 30
    assert inside[near].mean() >= confidence - 0.09
    assert (high - low)[near].mean() < (high - low).mean()  # narrower where errors are smaller


def test_a_model_is_better_than_the_age_and_its_intervals_hold_on_new_machines() -> None:
    one = model()
    assert one.quality.rmse < one.simple.rmse
    fresh = stack(read_lives({**lives(0), "machines": [
        {"id": f"new-{k}", "failed": True, "rows": life(5000 + k).tolist()} for k in range(40)
    ]}).lives)  # fmt: skip
    found = judge(one, fresh, moments(fresh, 10, np.random.default_rng(1)))
    assert found.rmse < 0.75 * one.simple.rmse
    assert 0.82 <= found.coverage <= 0.99
    assert found.near_end is not None and found.near_end >= 0.8
    assert one.acting is not None and one.acting.against_age < 1


def test_machines_kept_out_are_learnt_from_by_no_model() -> None:
    on = model().trained_on
    assert on.kept_out and all(is_kept_out(m) for m in on.kept_out)
    assert on.machines + len(on.kept_out) == 60
    assert on.failures == on.machines


def test_the_worn_signals_are_the_reasons() -> None:
    rows = life(777)
    said = predict(model(), seen(rows[:-5]))
    assert said.known and said.expected is not None and said.low is not None and said.high is not None
    assert said.low <= 4 <= said.high
    assert {r.signal for r in said.reasons[:2]} <= {"temperature", "pressure", "vibration"}
    assert all(r.effect < 0 for r in said.reasons[:2])
    assert "noise" not in {r.signal for r in said.reasons[:2]}
    assert "Act now" in said.what_to_do or "within" in said.what_to_do
    young = predict(model(), seen(rows[:15]))
    assert young.expected is not None and young.expected > said.expected


def test_effects_make_up_the_difference_to_a_usual_machine() -> None:
    one, rows = model(), life(778)
    last = one.features_of(rows[:, :2], rows[:, 2:], np.array([0]), only=np.array([len(rows) - 4]))[0]
    difference = float(one.predict(last[None])[0] - one.predict(np.array([one.usual]))[0])
    assert sum(r.effect for r in reasons(one, last)) == pytest.approx(difference, rel=0.15)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda r: r[:4], "life:too-little-seen"),
        (lambda r: r + np.array([3.0, 0, 0, 0, 0, 0]), "life:regime-unknown"),
        (lambda r: r * np.array([1, 1, 1.8, 1, 1, 1]) + np.array([0, 0, 32, 0, 0, 0]), "life:signal-outside"),
        (lambda r: np.where(np.arange(6) == 5, 7.123, r), "life:sensor-stuck"),
    ],
)
def test_what_no_machine_did_before_is_not_known(change, code) -> None:
    said = predict(model(), seen(change(life(42))))
    assert not said.known and said.expected is None and not said.reasons
    assert code in {d.code for d in said.doubts}
    assert "Nothing is said" in said.what_to_do


def test_another_type_another_unit_and_a_missing_signal_are_told_together() -> None:
    said = predict(model(), seen(life(42), machine_type="lathe", units={"temperature": "[degF]"}, missing=("noise",)))
    assert [d.code for d in said.doubts] == ["life:type-unknown", "life:unit-differs", "life:signal-missing"]


def test_a_fleet_at_once_is_each_machine_alone() -> None:
    machines = [seen(life(900 + k)[: 30 + k]) for k in range(12)] + [seen(life(42), machine_type="lathe")]
    whole = predict_many(model(), machines)
    for machine, said in zip(machines, whole, strict=True):
        alone = predict(model(), machine, why=False)
        assert (alone.known, alone.doubts) == (said.known, said.doubts)
        if alone.expected is not None:
            assert (alone.expected, alone.low, alone.high) == pytest.approx(
                (said.expected, said.low, said.high), abs=1e-3
            )


def test_the_next_model_replaces_the_one_in_use_only_if_it_is_better() -> None:
    import base64

    from servitwin.domain.remaining_life.model import read_book, write_book

    present = base64.b64encode(write_book(book())).decode()
    worse = lives(24, incumbent=present)
    rng = np.random.default_rng(9)
    for m in worse["machines"]:
        m["rows"] = (
            np.array(m["rows"]) + np.c_[np.zeros((len(m["rows"]), 2)), rng.normal(0, 30, (len(m["rows"]), 4))]
        ).tolist()
    again = read_book(trained(worse))
    assert (not again.accepted and "no better" in again.verdict) or "nothing was learnt" in again.verdict
    assert again.models == book().models and again.generation == book().generation


def test_quality_counts_what_is_near_the_end() -> None:
    true = np.array([10.0, 20.0, 100.0])
    found = quality(1, true + 1, true - 5, np.array([5.0, 30.0, 110.0]), true)
    assert found.rmse == pytest.approx(1.0)
    assert (found.coverage, found.near_end) == (pytest.approx(2 / 3), 0.5)
