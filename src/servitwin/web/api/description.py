"""The API described for programs: an OpenAPI document that is written when the API changes, and served as it is.

Making it takes seconds, in which a node would answer nobody; ``tools/write_openapi`` does it, and a test compares.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema
from starlette.responses import Response

from servitwin.web.api.callers import Parts
from servitwin.web.api.gate import COOKIE
from servitwin.web.api.parts import API
from servitwin.web.api.shapes.base import ErrorShape
from servitwin.web.api.shapes.system import EventShape, LiveEvent
from servitwin.web.api.shapes.twin import TwinIn

router = APIRouter(include_in_schema=False)
PUBLISHED = Path(__file__).with_name("openapi.json")
_TEXT = """Twins of machines, lines and factories: live state, history, time of state, commands, access.

Times are RFC 3339 UTC in answers, RFC 3339 or nanoseconds UTC in questions; ranges are [from, to); ratios are 0 to 1.
Lists are paged by `limit` and `cursor`; lists and twins carry an `ETag`. Every failed call answers with the shape
`ErrorShape`: a stable `code`, what was wrong, how to mend it and where. Browsers sign in by `POST /session` and send
the answer's `csrf` as header `X-CSRF-Token` with every unsafe call; programs send `Authorization: Bearer TOKEN`.
"""
_FAULTS = {
    400: "What was sent cannot be accepted as it is",
    401: "Nobody is signed in, or the token is worth nothing",
    403: "The caller may not do this",
    404: "It does not exist, or the caller may not know that it does",
    409: "It contradicts what is already there",
    413: "The request is larger than 8 MB",
    422: "The request does not have the documented shape",
    429: "Too many attempts; Retry-After says when to come back",
    503: "A part that is needed does not answer now; the same call may succeed later",
}


@router.get(f"{API}/openapi.json")
def read_description(parts: Parts) -> Response:
    """The published document, with the version of this node."""
    return Response(_published(parts.options.version), media_type="application/json")


@lru_cache(1)
def _published(version: str) -> bytes:
    document = json.loads(PUBLISHED.read_bytes())
    document["info"]["version"] = version
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document made anew, with security schemes and the shapes of streamed events: seconds of work."""
    document = get_openapi(
        title=app.title, version=app.version, description=_TEXT, routes=app.routes, servers=[{"url": "/"}]
    )
    _, streamed = models_json_schema(
        [
            (LiveEvent, "serialization"),
            (EventShape, "serialization"),
            (ErrorShape, "serialization"),
            (TwinIn, "validation"),
        ],
        ref_template="#/components/schemas/{model}",
    )
    document["components"]["schemas"] |= streamed["$defs"]
    _add_faults(document)
    for unused in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(unused, None)
    document["components"]["securitySchemes"] = {
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
        "token": {"type": "http", "scheme": "bearer"},
    }
    document["security"] = [{"session": []}, {"token": []}]
    document["paths"][f"{API}/session"]["post"]["security"] = []
    return document


def _add_faults(document: dict[str, Any]) -> None:
    """What every call of the API may answer, described once.

    As responses of each route they would double the time of a start, and written out make most of the document.
    """
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorShape"}}}
    shared = {f"Fault{code}": {"description": text, "content": content} for code, text in _FAULTS.items()}
    document["components"]["responses"] = shared
    faults = {str(code): {"$ref": f"#/components/responses/Fault{code}"} for code in _FAULTS}
    for path, operations in document["paths"].items():
        if not path.startswith(API):
            continue
        for operation in operations.values():
            own = {c: r for c, r in operation["responses"].items() if "HTTPValidationError" not in str(r)}
            operation["responses"] = dict(sorted({**faults, **own}.items()))
