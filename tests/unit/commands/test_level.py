"""Levels by the flow that was seen: people only, acknowledged without effect, and a cut write-back make a shadow."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.command import Command
from servitwin.domain.level import TWIN, command_subject, derive, signal_subject

DAY = 86400 * 10**9
S = 10**9
NOW = 2_000_000 * S

EFFECTIVE = Command(
    id="c1",
    twin="u1",
    name="set-feed",
    parameters={"percent": 80.0},
    issuer="program",
    issued_by="planner",
    issued=NOW - 100 * S,
    status="effective",
    sent=NOW - 100 * S,
    answered=NOW - 99 * S,
    effect_seen=NOW - 98 * S,
    effect_signal="feed.override",
    held_before=False,
)
FLOW = {"feed.override": NOW - S, "spindle.load": NOW - S}


def changed(**fields: object) -> Command:
    return msgspec.structs.replace(EFFECTIVE, **fields)


def level(*commands: Command, flows: dict[str, int] = FLOW, now: int = NOW) -> str:
    return derive(flows, commands, ["set-feed", "stop"], now, DAY)[TWIN].level


def test_no_automatic_flow_is_a_model_whatever_was_sent() -> None:
    assert level(EFFECTIVE, flows={}) == "model"
    assert level(EFFECTIVE, flows={"spindle.load": NOW - DAY}) == "model"


def test_flow_in_alone_is_a_shadow() -> None:
    assert level() == "shadow"


def test_a_programs_command_acknowledged_and_seen_makes_a_twin() -> None:
    found = derive(FLOW, [EFFECTIVE], ["set-feed", "stop"], NOW, DAY)
    assert {s: d.level for s, d in found.items()} == {
        TWIN: "twin",
        command_subject("set-feed"): "twin",
        command_subject("stop"): "shadow",
        signal_subject("feed.override"): "twin",
        signal_subject("spindle.load"): "shadow",
    }
    assert found[TWIN].evidence["command"] == "c1"


def test_commands_by_people_alone_are_a_shadow() -> None:
    found = derive(FLOW, [changed(issuer="person")], ["set-feed"], NOW, DAY)
    assert found[TWIN].level == "shadow"
    assert "people" in found[command_subject("set-feed")].why


def test_an_acknowledgement_without_effect_is_a_shadow() -> None:
    for status in ("sent", "acknowledged", "without_effect", "rejected", "timed_out", "refused"):
        assert level(changed(status=status, effect_seen=None)) == "shadow", status


def test_what_held_before_or_was_seen_too_early_is_no_evidence() -> None:
    assert level(changed(held_before=True)) == "shadow"
    assert level(changed(held_before=None)) == "shadow"
    assert level(changed(effect_signal="")) == "shadow"
    assert level(changed(answered=None)) == "shadow"
    assert level(changed(effect_seen=NOW - 100 * S)) == "shadow"


def test_a_cut_write_back_is_a_shadow_at_once_and_a_twin_again_when_it_works() -> None:
    failed = changed(id="c2", issued=NOW - 50 * S, status="timed_out", answered=None, effect_seen=None)
    assert level(EFFECTIVE, failed) == "shadow"
    by_hand = changed(id="c2", issued=NOW - 50 * S, status="timed_out", issuer="person")
    assert level(EFFECTIVE, by_hand) == "twin", "a person's failed attempt says nothing about the program's way"
    mended = changed(id="c3", issued=NOW - 20 * S, answered=NOW - 19 * S, effect_seen=NOW - 18 * S)
    assert level(EFFECTIVE, failed, mended) == "twin"


def test_proof_grows_old_with_the_window() -> None:
    flows = {"feed.override": NOW + 2 * DAY}
    assert level(EFFECTIVE, flows=flows, now=EFFECTIVE.issued + DAY - 1) == "twin"
    assert level(EFFECTIVE, flows=flows, now=EFFECTIVE.issued + DAY) == "shadow"


commands = st.builds(
    changed,
    id=st.uuids().map(str),
    name=st.sampled_from(["set-feed", "stop"]),
    issuer=st.sampled_from(["person", "program"]),
    status=st.sampled_from(["refused", "sent", "acknowledged", "rejected", "timed_out", "effective", "without_effect"]),
    issued=st.integers(NOW - 2 * DAY, NOW),
    held_before=st.sampled_from([True, False, None]),
)


@given(st.lists(commands, max_size=8), st.randoms())
def test_order_of_arrival_does_not_matter_and_nothing_is_above_its_twin(sent: list[Command], order: object) -> None:
    rank = ("model", "shadow", "twin").index
    found = derive(FLOW, sent, ["set-feed"], NOW, DAY)
    shuffled = list(sent)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert derive(FLOW, shuffled, ["set-feed"], NOW, DAY) == found
    assert max(rank(d.level) for d in found.values()) == rank(found[TWIN].level)
    if found[TWIN].level == "twin":
        assert any(c.issuer == "program" and c.status == "effective" and c.held_before is False for c in sent)
