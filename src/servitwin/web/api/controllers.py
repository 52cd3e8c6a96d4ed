"""Controllers of machines: state charts, properties, checks and what they found."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from servitwin.domain.error import Fault, InvalidInputError, NotFoundError
from servitwin.domain.instant import DAY
from servitwin.domain.kept_controller import KeptController
from servitwin.domain.party import Actor
from servitwin.usecases.check_controller import ControllerText, read
from servitwin.usecases.check_files import decode_text
from servitwin.usecases.keep_controller import Asked
from servitwin.web.api.answers import answer, answer_tagged, page_of, range_of
from servitwin.web.api.bodies import file_body
from servitwin.web.api.callers import Me, Parts, permitted_twin, readable_span
from servitwin.web.api.controller_parts import finished_check, keeper, outline, shown_check, summary
from servitwin.web.api.parts import WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.base import Page
from servitwin.web.api.shapes.controller import (
    ControllerCheckIn,
    ControllerCheckShape,
    ControllerIn,
    ControllerShape,
    ControllerSummary,
)

router = router_of("controllers")
_FILE = file_body(
    "controller: lamp\nversion: 1\ninputs: {button: {type: flag}}\nregions:\n  lamp:\n    initial: dark\n    states:\n"
    "      dark: {transitions: [{to: lit, when: button}]}\n      lit: {transitions: [{to: dark, when: button}]}\n"
    "properties:\n  starts-dark: {text: The button lights it., whenever: button, then: lamp is lit, within: 1}\n",
    json=ControllerIn.model_json_schema(),
)


class _Sent(msgspec.Struct, forbid_unknown_fields=True):
    """An SCXML document with its side file."""

    text: str
    side: str | None = None


@router.get("/controllers", response_model=Page[ControllerSummary])
def list_controllers(
    request: Request,
    parts: Parts,
    me: Me,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str | None = None,
) -> Response:
    """Controllers in all versions: of types of twins that the caller may know, and of twins that it may read."""
    found = sorted(keeper(parts).all(me), key=_key)
    items, following = page_of(found, limit, cursor, _key)
    return answer_tagged(
        request, {"items": [summary(parts, c, finished_check(parts, c)) for c in items], "next": following}
    )


@router.post("/controllers", response_model=ControllerShape, status_code=201, openapi_extra=_FILE)
async def add_controller(
    request: Request,
    parts: Parts,
    me: Me,
    machine_type: Annotated[str, Query(max_length=200, description="name of the type whose machines have it")] = "",
    twin: Annotated[str, Query(max_length=200, description="id of the twin that has it")] = "",
    name: Annotated[str, Query(max_length=200)] = "controller.yaml",
) -> Response:
    """Bring a version in, for a machine type or a twin: a YAML file, an SCXML document, or JSON with its side file.

    200 if it was there already. A version never changes: another text needs another version.
    """
    source = _source(name, await request.body(), request.headers.get("content-type", ""))

    def keep() -> tuple[dict[str, Any], bool]:
        kept, fresh = keeper(parts).keep(source, me, machine_type, twin)
        return _detail(parts, me, kept), fresh

    detail, fresh = await run_in_threadpool(keep)
    return answer(detail, 201 if fresh else 200)


@router.get("/controllers/checks/{id}", response_model=ControllerCheckShape)
def read_controller_check(request: Request, parts: Parts, me: Me, id: str) -> Response:
    """Where a check stands; once it is done, the answer to every property with its proof or its run."""
    return answer_tagged(request, shown_check(parts, me, keeper(parts).check(me, id)))


@router.get("/controllers/checks/{id}/obligations", response_class=Response)
def read_controller_obligations(parts: Parts, me: Me, id: str) -> Response:
    """What another solver has to confirm: SMT-LIB 2.6 texts (ZIP), each with the answer that the argument needs."""
    check = keeper(parts).check(me, id)
    content = parts.files.get(check.obligations) if check.obligations else None
    if content is None:
        fault = Fault("controller:no-obligations", "There are no obligations", "Wait until the check is done", "id")
        raise NotFoundError(fault)
    named = f'attachment; filename="{check.name}-{check.version}-obligations.zip"'
    return Response(content, 200, {"Content-Disposition": named}, "application/zip")


@router.get("/controllers/{reference}", response_model=ControllerShape)
def read_controller(request: Request, parts: Parts, me: Me, reference: str) -> Response:
    """A controller as `name@version` (without a version its highest): states, transitions, properties, last checks."""
    return answer_tagged(request, _detail(parts, me, keeper(parts).one(me, reference)))


@router.post("/controllers/{reference}/checks", response_model=ControllerCheckShape, status_code=202)
async def check_controller(parts: Parts, me: Me, reference: str, body: ControllerCheckIn) -> Response:
    """Prove its properties or find the shortest runs that break them; checks wait for each other.

    The answer comes at once: ask `GET /controllers/checks/{id}` until its `state` is `done` or `failed`.
    """

    def ask() -> dict[str, Any]:
        asked = _asked(parts, me, reference, body)
        return shown_check(parts, me, keeper(parts).ask(me, reference, asked))

    shown = await run_in_threadpool(ask)
    parts.checks.wake()
    return answer(shown, 202, {"Location": f"/api/v1/controllers/checks/{shown['id']}"})


def _asked(parts: WebParts, me: Actor, reference: str, body: ControllerCheckIn) -> Asked:
    if body.twin is None:
        return Asked(body.depth, body.seconds, body.against)
    desk = keeper(parts)
    controller = read(desk.text(desk.one(me, reference)))
    twin = permitted_twin(parts, me, body.twin, "read")
    start, end = range_of(_text(body.from_), _text(body.to), parts.now(), DAY, 31 * DAY)
    known = parts.registry.signals(twin.uid, end)
    signals = sorted({o.signal for o in controller.observe if o.signal in known})
    if not signals:
        message = f"{twin.id} has none of the signals that the controller's `observe` names"
        raise InvalidInputError(Fault("controller:not-observed", message, "Map its signals in `observe`", "twin"))
    spans = [readable_span(parts, me, twin, s, start, end) for s in signals]
    return Asked(
        body.depth, body.seconds, body.against, twin.uid, max(a for a, _ in spans), min(b for _, b in spans)
    )  # fmt: skip


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)


def _source(name: str, content: bytes, kind: str) -> ControllerText:
    faults: list[Fault] = []
    file = decode_text(name, content, None, faults)
    if file is None:
        raise InvalidInputError(faults)
    if not kind.startswith("application/json"):
        return ControllerText(file.text, name)
    try:
        sent = msgspec.json.decode(file.text, type=_Sent)
    except (msgspec.DecodeError, RecursionError) as e:
        fault = Fault("controller:wrong-shape", str(e), "Send {text, side}, or the file itself as application/yaml")
        raise InvalidInputError(fault) from None
    return ControllerText(sent.text, name, sent.side, "side file" if sent.side is not None else "")


def _key(kept: KeptController) -> str:
    return f"{kept.name}@{kept.version:010d}"


def _detail(parts: WebParts, me: Actor, kept: KeptController) -> dict[str, Any]:
    desk = keeper(parts)
    source = desk.text(kept)
    controller = read(source)
    checks = parts.records.checks_of_controller(kept.name, kept.version)
    finished = next((c for c in checks if c.result), None)
    return {
        **summary(parts, kept, finished),
        **outline(controller),
        "text": source.text, "side": source.side,
        "versions": [c.version for c in desk.all(me) if c.name == kept.name],
        "may_check": desk.may_check(me, kept),
        "checks": [c.id for c in checks],
        "check": shown_check(parts, me, checks[0]) if checks else None,
        "finished": shown_check(parts, me, finished) if finished is not None else None,
    }  # fmt: skip
