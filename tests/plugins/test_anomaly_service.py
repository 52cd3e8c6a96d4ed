"""Service anomaly: what it says of a load that rises, and of a stretch that it cannot learn from."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.instant import MINUTE
from servitwin.domain.machine_change import MachineChange
from servitwin.domain.observation import Observation
from servitwin.sdk.checks import EvaluatorCase, read_cases
from servitwin.sdk.checks.evaluator import run_in_steps
from servitwin.sdk.discovery import Plugin, plugins
from servitwin.sdk.service import Outcome

PLUGIN: Plugin = next(p for p in plugins("service") if p.name == "anomaly")


def run(name: str, steps: int = 7, **changes: Any) -> Outcome:
    case = msgspec.structs.replace(read_cases(PLUGIN.folder, EvaluatorCase)[name], **changes)
    marks = [case.end * (i + 1) // steps for i in range(steps)]
    return run_in_steps(PLUGIN.load(), case.view, case.parameters, case.observations, marks, reopen=True)


def models(outcome: Outcome) -> list[dict[str, Any]]:
    return [r["anomaly_model"] for r in outcome.results if "anomaly_model" in r]


def stretches(outcome: Outcome) -> list[dict[str, Any]]:
    return [r["anomaly"] for r in outcome.results if "anomaly" in r]


def test_a_load_that_rises_is_told_with_its_signal_and_since_when() -> None:
    outcome = run("load-rises")
    assert [m["state"] for m in models(outcome)] == ["learning", "learnt"]
    assert models(outcome)[1]["regimes"] == {"on": 45}
    told = stretches(outcome)[0]
    assert (told["kind"], told["from"], told["to"]) == ("deviates", 55 * MINUTE, None)
    assert told["signals"][0]["signal"] == "load"
    assert abs(told["signals"][0]["usual"] - 60) < 2 and told["signals"][0]["value"] > 68
    assert outcome.usage["machine_hours"] == 21 / 60  # after the 45 minutes, until the mode that was never seen
    assert {f.key for f in outcome.findings} == {("anomaly:deviates", "", 55 * MINUTE)}
    last = outcome.findings[-1]
    assert last.group == "load" and last.end is None
    assert last.text.startswith("load deviates from what was learnt: 7") and "A is usual" in last.text


def test_a_rise_that_ends_is_told_again_with_its_end() -> None:
    case = read_cases(PLUGIN.folder, EvaluatorCase)["load-rises"]
    calm = [o for o in case.observations["load"] if o.time < 55 * MINUTE]
    back = [Observation(o.time + 15 * MINUTE, o.value, seq=o.seq + 500) for o in calm if o.time >= 45 * MINUTE]
    load = [o for o in case.observations["load"] if o.time < 60 * MINUTE] + back
    mode = case.observations["mode"][:1]
    outcome = run("load-rises", observations={**case.observations, "load": load, "mode": mode})
    began, *_, over = stretches(outcome)
    assert began["from"] == over["from"] == 55 * MINUTE
    assert 59 * MINUTE <= over["to"] <= 64 * MINUTE and over["peak"] >= began["peak"]
    assert [f.end for f in outcome.findings if f.end is not None] == [over["to"]]


def test_a_stretch_that_teaches_nothing_says_why_and_the_next_is_tried() -> None:
    outcome = run("too-little-is-known")
    assert [(m["version"], m["state"]) for m in models(outcome)] == [
        (1, "learning"), (1, "failed"), (2, "learning"), (2, "failed"), (3, "learning"),
    ]  # fmt: skip
    failed = [m for m in models(outcome) if m["state"] == "failed"]
    assert {f["code"] for f in failed[0]["failed"]} == {"anomaly:signal-constant", "anomaly:signal-unknown"}
    assert failed[1]["from"] == failed[0]["to"]


def test_a_change_on_purpose_is_learnt_anew_and_what_comes_after_it_is_told() -> None:
    outcome = run("changed-on-purpose")
    learnt = [m for m in models(outcome) if m["state"] == "learnt"]
    assert [(m["version"], m["from"], m["to"]) for m in learnt] == [
        (1, 0, 40 * MINUTE), (2, 61 * MINUTE, 101 * MINUTE),
    ]  # fmt: skip
    assert learnt[1]["because"] == "said: a heavier tool is used"
    [found] = {(f.code, f.start, f.component) for f in outcome.findings}
    assert found == ("anomaly:deviates", 130 * MINUTE, "drive")


def test_without_the_change_the_heavier_tool_is_an_anomaly_until_somebody_says_so() -> None:
    view = read_cases(PLUGIN.folder, EvaluatorCase)["changed-on-purpose"].view
    outcome = run("changed-on-purpose", view=msgspec.structs.replace(view, changes=()))
    assert outcome.findings[0].start == 60 * MINUTE
    ignored = run("changed-on-purpose", parameters={"every": "1m", "learn": "40m", "learn_again": ["repair"]})
    assert ignored.findings == outcome.findings


def test_a_change_ends_what_goes_on() -> None:
    case = read_cases(PLUGIN.folder, EvaluatorCase)["changed-on-purpose"]
    repair = MachineChange(140 * MINUTE, "repair", "bearing", "case-7", "timo")
    view = msgspec.structs.replace(case.view, changes=(*case.view.changes, repair))
    outcome = run("changed-on-purpose", view=view)
    ends = {f.key: f.end for f in outcome.findings}
    assert ends == {("anomaly:deviates", "", 130 * MINUTE): 140 * MINUTE}
    assert models(outcome)[-1] == {
        "version": 3, "state": "learning", "from": 140 * MINUTE, "to": 180 * MINUTE, "because": "repair: bearing",
    }  # fmt: skip


@given(st.lists(st.integers(0, 170 * MINUTE), max_size=4), st.integers(1, 60), st.data())
@settings(max_examples=25, deadline=None)
def test_changes_at_any_time_give_the_same_in_any_split(at: list[int], steps: int, data: st.DataObject) -> None:
    case = read_cases(PLUGIN.folder, EvaluatorCase)["changed-on-purpose"]
    kinds = [data.draw(st.sampled_from(("repair", "type", "said"))) for _ in at]
    changes = tuple(MachineChange(t, k) for t, k in zip(at, kinds, strict=True))
    view = msgspec.structs.replace(case.view, changes=changes)
    whole = run("changed-on-purpose", steps=1, view=view)
    split = run("changed-on-purpose", steps=steps, view=view)
    assert (split.results, split.findings) == (whole.results, whole.findings)
    changed = sorted(set(at))
    for f in whole.findings:  # nothing is judged by what was learnt before a change
        assert not any(f.start < c < (f.end or 0) for c in changed)


def test_wrong_kinds_of_changes_are_told() -> None:
    faults = PLUGIN.evaluator().check({"learn_again": ["moon"], "every": "1m", "learn": "10m"})
    assert {f.code for f in faults} == {"anomaly:change-unknown", "anomaly:stretch-out-of-range"}


def moded(*modes: tuple[str, int]) -> dict[str, list[Observation]]:
    """A steady load, a minute a bin, and modes with how many minutes each lasts."""
    mode, load, at = [], [], 0
    for name, minutes in modes:
        mode.append(Observation(at * MINUTE, name, seq=at))
        load += [
            Observation((m * 60 + s) * MINUTE // 60, 60.0 + ((m * 7 + s) % 11) / 10, seq=m * 60 + s)
            for m in range(at, at + minutes)
            for s in (0, 20, 40)
        ]
        at += minutes
    return {"load": load, "mode": mode}


def not_judged(outcome: Outcome) -> list[str | None]:
    """Since when, as each telling of the model has it."""
    return [
        next((n["where"] for n in m.get("notes", []) if n["code"] == "anomaly:not-judged"), None)
        for m in models(outcome)
        if m["state"] == "learnt"
    ]


def test_a_machine_in_a_mode_never_seen_is_said_not_to_be_judged_until_it_is_again() -> None:
    seen = moded(("on", 60), ("wash", 50), ("on", 20), ("wash", 39), ("on", 10))
    outcome = run("load-rises", observations=seen, end=175 * MINUTE)
    assert not_judged(outcome) == [None, "1970-01-01T01:00:00Z", None], "39 minutes of it are not told"
    assert {m["version"] for m in models(outcome)} == {1}
    last = models(outcome)[-1]
    assert last["regimes"] == {"on": 45} and "notes" not in last


def test_a_stretch_ends_with_what_was_seen_of_it_when_the_machine_is_no_longer_judged() -> None:
    seen = moded(("on", 60), ("wash", 50))
    seen["load"] = [
        msgspec.structs.replace(o, value=o.value + 5) if 50 * MINUTE <= o.time < 60 * MINUTE else o
        for o in seen["load"]
    ]
    lasts = []
    for end in (99, 110):  # 39 minutes of it say nothing
        told = run("load-rises", observations=seen, end=end * MINUTE).findings
        assert len({f.key for f in told}) == 1
        lasts.append(told[-1].end)
    assert lasts == [None, 60 * MINUTE]


@given(
    st.lists(st.tuples(st.sampled_from(("on", "wash", "rinse")), st.integers(1, 90)), max_size=5), st.integers(1, 40)
)
@settings(max_examples=20, deadline=None)
def test_what_is_not_judged_is_said_alike_in_any_split(more: list[tuple[str, int]], steps: int) -> None:
    seen = moded(("on", 60), *more)
    end = (60 + sum(n for _, n in more)) * MINUTE
    whole = run("load-rises", steps=1, observations=seen, end=end)
    split = run("load-rises", steps=steps, observations=seen, end=end)
    assert (split.results, split.findings) == (whole.results, whole.findings)
