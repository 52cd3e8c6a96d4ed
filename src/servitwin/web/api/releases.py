"""Releases of machine types, and the update gate."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from servitwin.domain.party import Actor
from servitwin.domain.release import Gate, GatePolicy, Release
from servitwin.usecases.keep_release import KeepRelease, NewRelease
from servitwin.usecases.release_file import ReleaseFile
from servitwin.web.api.answers import answer, answer_tagged, at, full
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.parts import WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.release import GateIn, GateShape, ReleaseIn, Releases, ReleaseShape, WithdrawIn

router = router_of("releases")


@router.get("/releases", response_model=Releases)
def list_releases(request: Request, parts: Parts, me: Me, machine_type: str = "") -> Response:
    """Releases of types of twins that the caller may know, newest first, each with its gates."""
    found = [r for r in _desk(parts).all(me) if machine_type in ("", r.machine_type)]
    return answer_tagged(request, {"items": [_shown(parts, me, r) for r in found]})


@router.post("/releases", response_model=ReleaseShape, status_code=201)
def add_release(parts: Parts, me: Me, body: ReleaseIn) -> Response:
    """Bring a release in; 200 if it was there already. A release never changes: other content needs another version."""
    new = msgspec.convert(body.model_dump(), NewRelease)
    release, fresh = _desk(parts).add(new, me)
    return answer(_shown(parts, me, release), 201 if fresh else 200)


@router.get("/releases/{id}", response_model=ReleaseShape)
def read_release(request: Request, parts: Parts, me: Me, id: str) -> Response:
    """A release with its gates: each step with its outcome and evidence, and who did what when."""
    return answer_tagged(request, _shown(parts, me, _desk(parts).one(me, id)))


@router.post("/releases/{id}/gate", response_model=GateShape, status_code=202)
async def ask_gate(parts: Parts, me: Me, id: str, body: GateIn) -> Response:
    """Have the release tried against the twin; only a passed gate gives the signed statement that machines ask for.

    The answer comes at once: ask `GET /releases/{id}` until the gate's `state` is `passed`, `blocked` or `failed`.
    A policy that asks for less than the node's is for the operator's administrators alone.
    """
    policy = None if body.policy is None else msgspec.convert(body.policy.model_dump(), GatePolicy)
    gate = await run_in_threadpool(_desk(parts).ask_gate, me, id, policy)
    parts.gates.wake()
    return answer(_gate(parts, gate), 202, {"Location": f"/api/v1/releases/{id}"})


@router.post("/releases/{id}/withdraw", response_model=ReleaseShape)
def withdraw_release(parts: Parts, me: Me, id: str, body: WithdrawIn) -> Response:
    """Take a release back: no machine is sent it any more. Said in the evidence log where it had passed."""
    return answer(_shown(parts, me, _desk(parts).withdraw(me, id, body.why)))


@router.get("/releases/{id}/statement", response_class=Response)
def read_release_file(parts: Parts, me: Me, id: str) -> Response:
    """The file of a passed release: gate record and signed statement; `servitwin verify FILE` checks it offline."""
    release = _desk(parts).one(me, id)
    writer = ReleaseFile(parts.records, parts.files, parts.log, parts.heads, parts.keys, parts.authoriser.operator)
    named = f'attachment; filename="{release.id}.release.json"'
    return Response(writer.write(release), 200, {"Content-Disposition": named}, "application/json")


def _desk(parts: WebParts) -> KeepRelease:
    return KeepRelease(parts.records, parts.registry, parts.authoriser, parts.audit, parts.now, parts.new_id)


def _shown(parts: WebParts, me: Actor, release: Release) -> dict[str, Any]:
    gates = parts.records.gates(release.id)
    taken = release.withdrawn
    state = "withdrawn" if taken is not None else gates[0].state if gates else "new"
    return {
        **full(release), "id": release.id, "at": at(release.at), "state": state,
        "withdrawn": None if taken is None else {"at": at(taken.at), "by": taken.by, "why": taken.why},
        "may_change": _desk(parts).may_change(me, release), "gates": [_gate(parts, g) for g in gates],
    }  # fmt: skip


def _gate(parts: WebParts, gate: Gate) -> dict[str, Any]:
    placed = bool(gate.statement) and parts.records.statement_place(gate.statement) is not None
    times = {name: at(getattr(gate, name)) for name in ("at", "began", "ended")}
    fault = None if gate.fault is None else full(gate.fault)
    return {**full(gate), **times, "fault": fault, "logged": placed}
