"""Replays of counterexamples: a simulated machine runs the controller's model, and its signals are judged."""

from __future__ import annotations

from typing import Any

from fastapi import Response
from starlette.concurrency import run_in_threadpool

from servitwin.domain.controller_replay import ControllerReplay
from servitwin.domain.party import Actor
from servitwin.usecases.replay_controller import ReplayAsked, ReplayController
from servitwin.web.api.answers import answer, at, full
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.controller_parts import keeper
from servitwin.web.api.parts import WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.controller_replay import ControllerReplayIn, ControllerReplays, ControllerReplayShape

router = router_of("controllers")


@router.post("/controllers/{reference}/replays", response_model=ControllerReplayShape, status_code=202)
async def replay_controller(parts: Parts, me: Me, reference: str, body: ControllerReplayIn) -> Response:
    """Let a simulated machine run the model with the inputs of a counterexample, over the broker into history.

    It is a twin of its own, apart from every machine. With `inputs_of` another version's run is driven into this one.
    The answer comes at once: ask `GET /controllers/replays/{id}` until its `state` is `done` or `failed`.
    """

    def ask() -> tuple[dict[str, Any], bool]:
        replay, fresh = _desk(parts).ask(me, reference, ReplayAsked(body.property, body.inputs_of, body.pace))
        if fresh:
            parts.registry.reload()
        return _shown(parts, replay), fresh

    shown, fresh = await run_in_threadpool(ask)
    if fresh:
        await parts.bus.publish("changed.twins", b"{}")
    parts.replays.wake()
    return answer(shown, 202, {"Location": f"/api/v1/controllers/replays/{shown['id']}"})


@router.get("/controllers/replays/{id}", response_model=ControllerReplayShape)
def read_controller_replay(parts: Parts, me: Me, id: str) -> Response:
    """Where a replay stands; once it is done, whether the simulated machine showed the violation."""
    return answer(_shown(parts, _desk(parts).one(me, id)))


@router.get("/controllers/{reference}/replays", response_model=ControllerReplays)
def list_controller_replays(parts: Parts, me: Me, reference: str) -> Response:
    """The last replays of a version, newest first, of simulated machines that the caller may read."""
    return answer({"items": replays_of(parts, me, reference)})


def replays_of(parts: WebParts, me: Actor, reference: str) -> list[dict[str, Any]]:
    """The last replays of a version as the API shows them."""
    return [_shown(parts, r) for r in _desk(parts).of(me, keeper(parts).one(me, reference))]


def _desk(parts: WebParts) -> ReplayController:
    return ReplayController(
        parts.records, parts.files, keeper(parts), parts.authoriser, parts.audit, parts.now, parts.new_id
    )


def _shown(parts: WebParts, replay: ControllerReplay) -> dict[str, Any]:
    twin = parts.records.twin(replay.twin)
    return {
        "id": replay.id, "controller": f"{replay.name}@{replay.version}", "property": replay.property,
        "inputs_of": replay.inputs_of, "check": replay.check, "twin": "" if twin is None else twin.id,
        "pace": replay.pace, "positions": replay.positions, "state": replay.state, "at": at(replay.at),
        "by": replay.by, "began": at(replay.began), "last": at(replay.last), "ended": at(replay.ended),
        "recorded": replay.recorded, "broken_at": replay.broken_at, "same": replay.same, "says": _says(replay),
        "fault": None if replay.fault is None else full(replay.fault),
    }  # fmt: skip


def _says(replay: ControllerReplay) -> str:
    if replay.state != "done":
        return ""
    last = replay.positions - 1
    if replay.broken_at is None:
        found = f"The simulated machine kept {replay.property} in all {last} steps"
    else:
        found = f"The simulated machine broke {replay.property} at step {replay.broken_at} of {last}"
    how = "judged on what history recorded, by plain evaluation without the solver"
    if replay.same is False:
        return f"{found}, {how}. It did not show the positions that the solver had found: report it."
    return f"{found}, {how}."
