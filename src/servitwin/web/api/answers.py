"""How answers are written: JSON by msgspec, faults, pages, entity tags, times."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
import numpy as np
from fastapi import Request
from starlette.responses import Response

from servitwin.domain.error import (
    ConflictError,
    Fault,
    InvalidInputError,
    NotFoundError,
    RefusedError,
    ServitwinError,
    UnavailableError,
)
from servitwin.domain.instant import EARLIEST, LATEST, format_instant, parse_instant
from servitwin.domain.observation import Cut, Int64s

T = TypeVar("T")
_encoder = msgspec.json.Encoder(decimal_format="number")
_STATUS: tuple[tuple[type[ServitwinError], int], ...] = (
    (InvalidInputError, 400),
    (NotFoundError, 404),
    (ConflictError, 409),
    (RefusedError, 403),
    (UnavailableError, 503),
)
_STATUS_OF_CODE = {
    "session:required": 401,
    "session:wrong-account-or-password": 401,
    "session:too-many-attempts": 429,
    "request:too-large": 413,
    "request:too-slow": 408,
}


def answer(data: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON of plain data and structs."""
    return Response(_encoder.encode(data), status, headers, "application/json")


def answer_tagged(request: Request, data: object, status: int = 200, stamp: object = None) -> Response:
    """JSON with an ``ETag`` over ``stamp`` (default: the content); 304 if the caller has it already."""
    body = _encoder.encode(data)
    tag = entity_tag(body if stamp is None else _encoder.encode(stamp))
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if status == 200 and _matches(request.headers.get("if-none-match", ""), tag):
        return Response(b"", 304, headers)
    return Response(body, status, headers, "application/json")


def entity_tag(content: bytes) -> str:
    """A strong entity tag of some content."""
    return '"' + hashlib.blake2b(content, digest_size=12).hexdigest() + '"'


def _matches(header: str, tag: str) -> bool:
    return header.strip() == "*" or any(part.strip().removeprefix("W/") == tag for part in header.split(","))


def require_match(request: Request, present: str | None) -> None:
    """Honour ``If-Match`` and ``If-None-Match: *`` of a conditional PUT.

    Raises:
        ConflictError: ``request:changed-meanwhile`` (status 412).
    """
    wanted, unwanted = request.headers.get("if-match"), request.headers.get("if-none-match")
    if (wanted is not None and (present is None or not _matches(wanted, present))) or (
        unwanted is not None and unwanted.strip() == "*" and present is not None
    ):
        raise ConflictError(
            Fault(
                "request:changed-meanwhile",
                "What you would change is not what you have read",
                "Read it again, look at the difference, and send with the new ETag",
                "If-Match",
            )
        )


# faults ------------------------------------------------------------------------------------------------------
def fault_body(faults: Sequence[Fault]) -> dict[str, Any]:
    """The answer of a failed call: the first fault leads, all are listed."""
    return {**full(faults[0]), "faults": [full(f) for f in faults]}


def answer_faults(error: ServitwinError) -> Response:
    """The answer that an error of ours becomes."""
    code = error.fault.code
    status = 412 if code == "request:changed-meanwhile" else _STATUS_OF_CODE.get(code)
    if status is None:
        status = next((s for kind, s in _STATUS if isinstance(error, kind)), 400)
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status == 503:
        headers["Retry-After"] = "2"
    if status == 429:
        headers["Retry-After"] = error.fault.where
    return answer(fault_body(error.faults), status, headers)


def full(value: Any) -> Any:
    """Plain data of a struct with every field, also those that have their default."""
    if isinstance(value, msgspec.Struct):
        return {name: full(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, (tuple, list)):
        return [full(v) for v in value]
    if isinstance(value, Mapping):
        return {k: full(v) for k, v in value.items()}
    return value


# pages -------------------------------------------------------------------------------------------------------
def to_cursor(last: str) -> str:
    """The cursor that goes on after ``last``."""
    return base64.urlsafe_b64encode(last.encode()).decode().rstrip("=")


def from_cursor(cursor: str | None) -> str:
    """What :func:`to_cursor` was given; empty at the start.

    Raises:
        InvalidInputError: ``page:cursor-not-understood``.
    """
    if not cursor:
        return ""
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True).decode()
    except ValueError:
        raise bad_cursor() from None


def bad_cursor() -> InvalidInputError:
    """A cursor that no page gave."""
    return InvalidInputError(
        Fault("page:cursor-not-understood", "That is no cursor of this list", "Start without one", "cursor")
    )


def number_cursor(cursor: str | None) -> int | None:
    """A cursor that holds a whole number; None at the start."""
    text = from_cursor(cursor)
    if not text:
        return None
    try:
        number = int(text)
    except ValueError:
        raise bad_cursor() from None
    if not -(2**63) <= number < 2**63:
        raise bad_cursor()
    return number


def page_of(items: Sequence[T], limit: int, cursor: str | None, key: Callable[[T], str]) -> tuple[list[T], str | None]:
    """One page of a list that is sorted by ``key``, and the cursor of the next."""
    after = from_cursor(cursor)
    rest = [i for i in items if key(i) > after] if after else list(items)
    page = rest[:limit]
    return page, to_cursor(key(page[-1])) if len(rest) > limit and page else None


# times -------------------------------------------------------------------------------------------------------
def time_of(value: str | int, where: str) -> int:
    """Nanoseconds of RFC 3339 text or of an integer.

    Raises:
        InvalidInputError: ``time:not-rfc3339`` or ``time:out-of-range`` with the place.
    """
    if isinstance(value, int) or (value.lstrip("-").isascii() and value.lstrip("-").isdigit()):
        if not isinstance(value, int) and len(value) > 20:
            value = LATEST + 1
        ns = int(value)
        if not EARLIEST <= ns <= LATEST:
            raise InvalidInputError(
                Fault("time:out-of-range", "That is outside the years that can be kept", "Nanoseconds UTC", where)
            )
        return ns
    try:
        return parse_instant(value.replace(" ", "+") if value.count(" ") == 1 and "T" in value.upper() else value)
    except InvalidInputError as e:
        f = e.fault
        raise InvalidInputError(Fault(f.code, f.message, f.hint, where)) from None


def range_of(
    start: str | None, end: str | None, now: int, default: int | None, longest: int | None = None
) -> tuple[int, int]:
    """The asked range [from, to); ``to`` defaults to now, ``from`` to ``default`` ns before it.

    Raises:
        InvalidInputError: ``range:from-missing``, ``range:ends-before-it-starts``, ``range:too-long``.
    """
    until = now if end is None else time_of(end, "to")
    if start is None and default is None:
        raise InvalidInputError(Fault("range:from-missing", "Say from when", "Add `from`", "from"))
    since = until - (default or 0) if start is None else time_of(start, "from")
    if since >= until:
        raise InvalidInputError(
            Fault("range:ends-before-it-starts", "`from` must be before `to`", "Ranges are [from, to)", "from")
        )
    if longest is not None and until - since > longest:
        raise InvalidInputError(
            Fault("range:too-long", "The range is too long for this question", "Ask for less at a time", "from")
        )
    return since, until


def at(ns: int | None) -> str | None:
    """RFC 3339 text, or None."""
    return None if ns is None else format_instant(ns)


def instants(times: Int64s) -> list[str]:
    """RFC 3339 text of many times at once, with nine decimals."""
    text = np.datetime_as_string(times.astype("datetime64[ns]"), unit="ns")
    return [t + "Z" for t in text.tolist()]


def cut_out(cut: Cut) -> dict[str, int]:
    """A cut with text keys, as JSON wants them."""
    return {str(shard): seq for shard, seq in cut.items()}


def provenance_url(kind: str, **query: object) -> str:
    """Where a caller reads how an answer was made; times as RFC 3339."""
    pairs = {"kind": kind} | {k.rstrip("_"): v for k, v in query.items() if v not in (None, "")}
    return "/api/v1/provenance?" + urlencode(pairs, doseq=True)
