"""History of signals: raw, down-sampled, of one twin or many, and as a file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from fastapi import Query, Response
from starlette.responses import StreamingResponse

from servitwin.domain.error import Fault, InvalidInputError, NotFoundError, RefusedError
from servitwin.domain.instant import DAY, HOUR, NS, format_instants, parse_duration
from servitwin.domain.observation import Aggregation, Bucket, Cut, Series
from servitwin.domain.party import Actor
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.twin import Twin
from servitwin.web.api.answers import answer, at, cut_out, from_cursor, instants, provenance_url, range_of, to_cursor
from servitwin.web.api.callers import Me, Parts, known_twin, readable_span
from servitwin.web.api.inferred import inferred_signals
from servitwin.web.api.parts import API, WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.observation import AggregateName, QueryAnswer, QueryIn, SeriesShape

router = router_of("history")
MAX_ROWS = 200_000
MAX_PAIRS = 5_000
MAX_CELLS = 200_000
_DURATION_WEIGHS = 3  # as many values as a bucket's seconds of each word cost
Pair = tuple[str, str]
_FAR = (-(2**62), 2**62)


@router.get("/twins/{id}/signals/{signal}/observations", response_model=SeriesShape, response_model_exclude_none=True)
def read_observations(
    parts: Parts,
    me: Me,
    id: str,
    signal: str,
    from_: Annotated[str | None, Query(alias="from", description="default: an hour before `to`")] = None,
    to: Annotated[str | None, Query(description="default: now")] = None,
    every: Annotated[
        str | None,
        Query(examples=["1h"], description="width of buckets; without it raw values, or one bucket with `aggregate`"),
    ] = None,
    aggregate: Annotated[list[AggregateName] | None, Query(description="default: mean; may be given often")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    cursor: str | None = None,
) -> Response:
    """Raw observations in pages, or buckets of `every` with aggregates (`duration`: seconds per value of a text)."""
    twin = known_twin(parts, me, id)
    definition = readable_signal(parts, me, twin, signal)
    start, end = range_of(from_, to, parts.now(), HOUR)
    start, end = readable_span(parts, me, twin, signal, start, end)
    span = {"from": at(start), "to": at(end)}
    head: dict[str, Any] = {"twin": twin.id, "signal": signal, "unit": definition.unit, **span}
    tail = {
        "provenance": provenance_url("signal", twin=twin.id, signal=signal, from_=at(start), to=at(end), every=every)
    }
    if every is None and not aggregate:
        return answer({**head, **_raw(parts, twin, signal, start, end, limit, cursor), **tail})
    wanted = [(twin.uid, signal)]
    cut = parts.history.cut()
    width = every or f"{max(end - start, 1)}ns"  # an aggregate without `every` is over the whole range
    buckets = _buckets(parts, wanted, {wanted[0]: definition}, start, end, width, aggregate or ["mean"], cut)[wanted[0]]
    if every is None and len(buckets) == 1 and "seconds" in buckets[0]:
        head["seconds"] = buckets[0]["seconds"]
    return answer({**head, "buckets": buckets, "cut": cut_out(cut), **tail})


@router.post("/observations/query", response_model=QueryAnswer, response_model_exclude_none=True)
def query_observations(parts: Parts, me: Me, body: QueryIn) -> Response:
    """Series of many twins and signals in one read; a twin that lacks one of the signals is left out for it."""
    start, end = range_of(str(body.from_), str(body.to), parts.now(), None)
    wanted, definitions = _wanted(parts, me, body.twins, body.signals, start, end)
    cut = parts.history.cut()
    ids = {uid: parts.registry.by_uid(uid) for uid, _ in wanted}
    series: list[dict[str, Any]] = []
    if body.every is None:
        found = _bounded(parts, wanted, start, end, cut) if wanted else {}
        rows = {pair: {"items": _items(s)} for pair, s in found.items()}
    else:
        folded = _buckets(parts, wanted, definitions, start, end, body.every, body.aggregates, cut)
        rows = {pair: {"buckets": b} for pair, b in folded.items()}
    for pair in wanted:
        twin = ids[pair[0]]
        if twin is not None:
            series.append({"twin": twin.id, "signal": pair[1], "unit": definitions[pair].unit, **rows[pair]})
    return answer(
        {
            "from": at(start),
            "to": at(end),
            "series": series,
            "cut": cut_out(cut),
            "provenance": provenance_url(
                "query",
                twin=body.twins[0] if len(body.twins) == 1 else None,
                from_=at(start),
                to=at(end),
                every=body.every,
            ),
        }
    )


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Observations with units and metadata",
            "content": {
                "text/csv": {"schema": {"type": "string"}},
                "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
                "application/vnd.apache.arrow.stream": {"schema": {"type": "string", "format": "binary"}},
            },
        }
    },
)
def export_observations(
    parts: Parts,
    me: Me,
    twins: Annotated[list[str], Query(min_length=1, max_length=1000)],
    signals: Annotated[list[str] | None, Query(max_length=1000, description="default: all")] = None,
    from_: Annotated[str | None, Query(alias="from", description="default: a day before `to`")] = None,
    to: Annotated[str | None, Query(description="default: now")] = None,
    form: Literal["csv", "parquet", "arrow"] = "csv",
) -> Response:
    """History as a file in an open format, streamed; your own machine data are yours to take."""
    start, end = range_of(from_, to, parts.now(), DAY)
    names = _split(signals) if signals else None
    wanted, _ = _wanted(parts, me, _split(twins), names, start, end)
    ids = sorted({t.id for uid, _ in wanted if (t := parts.registry.by_uid(uid))})
    metadata = {"servitwin": parts.options.version, "twins": ids, "from": at(start), "to": at(end), "by": me.id}
    pieces = parts.history.export(wanted, start, end, form, metadata)
    first = next(pieces, b"")  # what is wrong with the question must become an answer, not a broken file
    parts.audit.note(me, "history.export", ",".join(ids)[:500], {"from": at(start), "to": at(end), "form": form})
    kind = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}.get(
        form, "application/vnd.apache.arrow.stream"
    )
    name = f"servitwin-{ids[0] if len(ids) == 1 else 'export'}.{form}"
    return StreamingResponse(
        _after(first, pieces), media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _after(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _split(entries: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(part for entry in entries for part in entry.split(",") if part))


# what may be read --------------------------------------------------------------------------------------------
def readable_signal(parts: WebParts, me: Actor, twin: Twin, name: str) -> SignalDefinition:
    """The definition of a signal that the twin has or once had, if the caller may read it at any time.

    Raises:
        NotFoundError: ``signal:unknown``, the same whether it does not exist or may not be known.
    """
    found = signals_ever(parts, twin).get(name)
    if found is None or not parts.authoriser.spans(me, twin, name, *_FAR):
        raise NotFoundError(
            Fault(
                "signal:unknown",
                f"{twin.id} has no signal {name[:100]!r}",
                f"{API}/twins/{twin.id} lists them",
                "signal",
            )
        )
    return found


def signals_ever(parts: WebParts, twin: Twin) -> dict[str, SignalDefinition]:
    """Signals of all types that the twin ever had, the latest definition of each; and what servitwin notes itself."""
    signals: dict[str, SignalDefinition] = {"_connection": SignalDefinition("_connection", "text", title="Connection")}
    types = parts.registry.types()
    for dated in sorted(twin.type, key=lambda d: d.start):
        kind = types.get(dated.value)
        signals.update({s.name: s for s in kind.signals} if kind else {})
    signals.update(parts.registry.signals(twin.uid, parts.now()))
    signals.update(inferred_signals(parts, twin))
    return signals


def _wanted(
    parts: WebParts, me: Actor, twins: Sequence[str], signals: Sequence[str] | None, start: int, end: int
) -> tuple[list[Pair], dict[Pair, SignalDefinition]]:
    """Series that exist and may be read over the whole range.

    Raises:
        NotFoundError: ``twin:unknown``.
        RefusedError: ``range:partly-not-yours`` where a right covers a part of the range only.
    """
    wanted: dict[Pair, SignalDefinition] = {}
    signals = None if signals is None else list(dict.fromkeys(signals))
    for id in dict.fromkeys(twins):
        twin = known_twin(parts, me, id)
        known = signals_ever(parts, twin)
        for name in known if signals is None else signals:
            if name not in known or not (spans := parts.authoriser.spans(me, twin, name, start, end)):
                continue
            if spans != [(start, end)]:
                raise RefusedError(
                    Fault("range:partly-not-yours", f"You may read {twin.id} in a part of that range only",
                          f"Ask for [{at(spans[-1][0])}, {at(spans[-1][1])})", "from")
                )  # fmt: skip
            wanted[twin.uid, name] = known[name]
    if len(wanted) > MAX_PAIRS:
        raise InvalidInputError(
            Fault("query:too-many-series", f"{len(wanted)} series are more than {MAX_PAIRS}", "Ask in parts", "twins")
        )
    return list(wanted), wanted


# how series are shown ----------------------------------------------------------------------------------------
def _bounded(parts: WebParts, wanted: Sequence[Pair], start: int, end: int, cut: Cut) -> dict[Pair, Series]:
    try:
        return parts.history.many_series(wanted, start, end, cut=cut, most=MAX_ROWS)
    except InvalidInputError as e:
        if e.fault.code != "history:too-many-rows":
            raise
        raise InvalidInputError(
            Fault("query:too-many-rows", f"The answer would have more than {MAX_ROWS} observations",
                  "Ask with `every`, for less time, or one signal at a time in pages", "from")
        ) from None  # fmt: skip


class _Place(msgspec.Struct, array_like=True):
    """Where a page begins: at the observation ``skip`` of those at ``time`` (a condition has several), at a cut."""

    time: int
    skip: int
    cut: dict[int, int]


def _raw(
    parts: WebParts, twin: Twin, signal: str, start: int, end: int, limit: int, cursor: str | None
) -> dict[str, Any]:
    """One page; its cursor holds the cut of the first one, so that all pages are of one answer."""
    place = _decode_cursor(cursor, start, end) if cursor else None
    skip = place.skip if place else 0
    series = parts.history.series(
        twin.uid, signal, place.time if place else start, end, limit=skip + limit + 1, cut=place.cut if place else None
    )
    following = None
    if len(series) > skip + limit:
        time = int(series.time[skip + limit])
        of_this_time = skip + limit - int(np.searchsorted(series.time, time))
        following = to_cursor(msgspec.json.encode(_Place(time, of_this_time, series.cut)).decode())
    return {"items": _items(series, skip, skip + limit), "next": following, "cut": cut_out(series.cut)}


def _decode_cursor(cursor: str, start: int, end: int) -> _Place:
    """The place, within what was asked for: a caller could write a cursor of his own."""
    try:
        place = msgspec.json.decode(from_cursor(cursor), type=_Place)
    except msgspec.DecodeError:
        place = None
    if place is None or not start <= place.time < end or not 0 <= place.skip <= MAX_ROWS:
        raise InvalidInputError(
            Fault("page:cursor-not-understood", "That is no cursor of this list", "Start without one", "cursor")
        )
    return place


def _items(series: Series, first: int = 0, last: int | None = None) -> list[dict[str, Any]]:
    values: list[Any]
    if series.number is not None:
        numbers = series.number[first:last]
        values = [None if math.isnan(v) else v for v in numbers.tolist()]
    elif series.text is not None:
        values = series.text[first:last]
    else:
        flags = series.flag[first:last] if series.flag is not None else np.zeros(0, np.int8)
        values = [None if f < 0 else bool(f) for f in flags.tolist()]
    qualities = series.quality[first:last].tolist()
    return [
        {"time": t, "value": v, "quality": q}
        for t, v, q in zip(instants(series.time[first:last]), values, qualities, strict=True)
    ]


def _buckets(
    parts: WebParts,
    wanted: Sequence[Pair],
    definitions: dict[Pair, SignalDefinition],
    start: int,
    end: int,
    every: str,
    aggregates: Sequence[AggregateName],
    cut: Cut,
) -> dict[Pair, list[dict[str, Any]]]:
    width = min(parse_duration(every), end - start)
    aggregates = list(dict.fromkeys(aggregates))
    count = -(-(end - start) // width) if width else 0
    weight = sum(_DURATION_WEIGHS if a == "duration" else 1 for a in aggregates)
    if not width or count * max(1, len(wanted)) * max(1, weight) > MAX_CELLS:
        raise InvalidInputError(
            Fault(
                "query:too-many-buckets",
                f"The answer would have more than {MAX_CELLS} values in buckets",
                "Widen `every`, or ask for fewer aggregates or series at a time",
                "every",
            )
        )
    plain: list[Aggregation] = [a for a in aggregates if a != "duration"]
    for pair in wanted:
        if any(a not in ("count", "first", "last") for a in plain) and definitions[pair].type in ("text", "condition"):
            raise InvalidInputError(
                Fault("aggregate:not-for-text", f"{pair[1]} holds words", "Ask for aggregate=duration", "aggregate")
            )
    edges = format_instants(np.append(start + width * np.arange(count, dtype=np.int64), end))
    out: dict[Pair, list[dict[str, Any]]] = {
        pair: [{"from": a, "to": b} for a, b in pairwise(edges)] for pair in wanted
    }
    if plain and wanted:
        found = parts.history.downsample(wanted, start, end, width, plain, cut)
        for pair, columns in found.items():
            for name, buckets in columns.items():
                _fill(out[pair], name, buckets)
    if "duration" in aggregates and wanted:
        for pair, spent in parts.history.durations(wanted, start, end, width, cut).items():
            for row, (_, words) in zip(out[pair], spent, strict=True):
                row["seconds"] = {word: ns / NS for word, ns in words.items()}
    return out


def _fill(rows: list[dict[str, Any]], name: str, buckets: Sequence[Bucket]) -> None:
    for row, bucket in zip(rows, buckets, strict=True):
        row["count"] = bucket.count
        if name != "count":
            row[name] = bucket.value
