"""Payloads of observations as servitwin defines them (docs/architecture.md), and foreign ones through a mapping.

Shared by the connectors that carry them (MQTT, HTTP). Decoding is pure and total: whatever comes in becomes
batches, faults, or both; a faulty value does not take its neighbours with it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import EARLIEST, LATEST, parse_instant
from servitwin.domain.observation import Quality
from servitwin.sdk.connector import Batch, DecodeFault

MAX_PAYLOAD = 8 * 2**20
UNAVAILABLE = "UNAVAILABLE"
ARROW_MAGIC = b"\xff\xff\xff\xff"
SESSION_LENGTH = 200
TIME_UNITS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}
_QUALITIES: dict[str | int, Quality] = {
    "good": Quality.GOOD,
    "uncertain": Quality.UNCERTAIN,
    "bad": Quality.BAD,
    0: Quality.GOOD,
    1: Quality.UNCERTAIN,
    2: Quality.BAD,
}
_SHAPE_HINT = 'Send {"time": ..., "values": {signal: value}} or {"times": [...], "values": {signal: [...]}}'

Decoded = tuple[Sequence[Batch], Sequence[DecodeFault]]
_decode_json = msgspec.json.Decoder().decode


class Fields(msgspec.Struct, frozen=True):
    """Where the parts of a payload are: dotted paths, empty for the payload itself or for none.

    ``time_unit`` is the unit of a number given as time; text is read as RFC 3339.
    """

    time: str = "time"
    times: str = "times"
    values: str = "values"
    session: str = "session"
    seq: str = "seq"
    time_unit: str = "ns"


CANONICAL = Fields()


class _Reading:
    """Collects the faults of one payload."""

    __slots__ = ("faults", "twin")

    def __init__(self, twin: str) -> None:
        self.twin = twin
        self.faults: list[DecodeFault] = []

    def fault(self, code: str, message: str, hint: str, where: str = "") -> None:
        self.faults.append(DecodeFault(Fault(code, message, hint, where), self.twin))


def decode_payload(twin: str, payload: bytes, received: int, fields: Fields = CANONICAL) -> Decoded:
    """Batches and faults of one payload of observations of ``twin``, JSON or Arrow IPC stream.

    A payload that cannot be used, but whose ``session`` and ``seq`` can be read, gives a batch without samples,
    so that it counts once as well.
    """
    reading = _Reading(twin)
    if len(payload) > MAX_PAYLOAD:
        reading.fault("payload:too-long", f"{len(payload)} bytes", f"Send at most {MAX_PAYLOAD} bytes a message")
        return [], reading.faults
    if payload.startswith(ARROW_MAGIC):
        return _decode_arrow(twin, payload, reading)
    content = read_json(payload)
    if content is _NOT_JSON:
        start = payload[:40].decode("utf-8", "replace")
        reading.fault("payload:not-json", f"Neither JSON nor an Arrow stream: {start!r}", _SHAPE_HINT)
        return [], reading.faults
    return decode_content(twin, content, received, fields, reading.faults)


_NOT_JSON = object()


def read_json(payload: bytes) -> Any:
    """The JSON value, where NaN and Infinity count as numbers so that they can be named as faults."""
    try:
        return _decode_json(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            return json.loads(payload)
        except (ValueError, RecursionError):
            return _NOT_JSON


def decode_content(twin: str, content: Any, received: int, fields: Fields, faults: list[DecodeFault]) -> Decoded:
    """As :func:`decode_payload`, of JSON that is decoded already."""
    reading = _Reading(twin)
    reading.faults = faults
    if not isinstance(content, dict):
        reading.fault("payload:wrong-shape", "The payload is no JSON object", _SHAPE_HINT)
        return [], faults
    batch = Batch(twin, [], {}, replayed=content.get("replayed") is True)
    _read_session(content, fields, batch, reading)
    quality = content.get("quality", "good")
    known = _QUALITIES.get(quality) if isinstance(quality, str | int) else None
    if known is None:
        reading.fault(
            "payload:wrong-shape", f"quality {quality!r:.40} is none", "Use good, uncertain or bad", "quality"
        )
        return _only_marks(batch), faults
    batch.quality = known
    units = content.get("units", {})
    if not isinstance(units, dict) or not all(isinstance(u, str) for u in units.values()):
        reading.fault("payload:wrong-shape", "units is no object of texts", 'Write {"units": {signal: code}}', "units")
        return _only_marks(batch), faults
    batch.units = units
    values = at_path(content, fields.values)
    if not isinstance(values, dict):
        reading.fault("payload:wrong-shape", "The payload has no object of values", _SHAPE_HINT, fields.values)
        return _only_marks(batch), faults
    if values is content:
        used = {fields.time, fields.times, fields.session, fields.seq, "quality", "units", "replayed"}
        values = {k: v for k, v in content.items() if k not in used}
    if not values:
        reading.fault("payload:wrong-shape", "The payload holds no value", _SHAPE_HINT, fields.values)
        return _only_marks(batch), faults
    times = at_path(content, fields.times) if fields.times else None
    if isinstance(times, list):
        _read_samples(times, values, fields, batch, reading)
    else:
        _read_sample(content, values, received, fields, batch, reading)
    return [batch] if batch.times or batch.seq is not None else [], faults


def at_path(content: Any, path: str) -> Any:
    """The value at a dotted path; None where it is not there. A key that contains the dots itself wins."""
    if not path:
        return content
    if isinstance(content, dict) and path in content:
        return content[path]
    for step in path.split("."):
        if not isinstance(content, dict):
            return None
        content = content.get(step)
    return content


def _only_marks(batch: Batch) -> list[Batch]:
    batch.times, batch.columns = [], {}
    return [batch] if batch.seq is not None else []


def _read_session(content: dict[str, Any], fields: Fields, batch: Batch, reading: _Reading) -> None:
    session, seq = at_path(content, fields.session), at_path(content, fields.seq)
    session = "" if session is None else session
    if isinstance(session, str) and len(session) <= SESSION_LENGTH:
        batch.session = session
        if seq is None:
            return
        if isinstance(seq, int) and not isinstance(seq, bool) and 0 <= seq < 2**63:
            batch.seq = seq
            return
        reading.fault("payload:wrong-shape", f"seq {seq!r:.40} is no count", "Use an integer from 0 on", fields.seq)
    else:
        reading.fault(
            "payload:wrong-shape",
            f"session {session!r:.40} is no short text",
            f"Use up to {SESSION_LENGTH} characters",
            fields.session,
        )


def _read_time(value: Any, unit: str, where: str, reading: _Reading) -> int | None:
    if isinstance(value, str):
        try:
            return parse_instant(value)
        except InvalidInputError as e:
            reading.fault(e.fault.code, e.fault.message, e.fault.hint, where)
            return None
    if isinstance(value, int) and not isinstance(value, bool):
        ns = value * TIME_UNITS[unit]
    elif isinstance(value, float) and math.isfinite(value) and unit != "ns":
        ns = round(value * 1000) * (TIME_UNITS[unit] // 1000)
    else:
        reading.fault(
            "time:not-rfc3339", f"{value!r:.40} is no time", f"Use RFC 3339 text or integer {unit} since 1970", where
        )
        return None
    if EARLIEST <= ns <= LATEST:
        return ns
    reading.fault("time:out-of-range", f"{value!r:.40} is outside the years that can be kept", "Check the unit", where)
    return None


def _read_sample(
    content: dict[str, Any], values: dict[str, Any], received: int, fields: Fields, batch: Batch, reading: _Reading
) -> None:
    stamp = at_path(content, fields.time) if fields.time else None
    if stamp is None:
        time: int | None = received
        batch.quality = max(batch.quality, Quality.UNCERTAIN)
    else:
        time = _read_time(stamp, fields.time_unit, fields.time, reading)
    if time is None:
        return
    batch.times = [time]
    for name, value in values.items():
        if _is_scalar(value):
            batch.columns[name] = [value]
        else:
            _fault_value(value, f"{fields.values}.{name}", reading)


def _read_samples(times: list[Any], values: dict[str, Any], fields: Fields, batch: Batch, reading: _Reading) -> None:
    read = [_read_time(t, fields.time_unit, f"{fields.times}[{i}]", reading) for i, t in enumerate(times)]
    kept = [i for i, t in enumerate(read) if t is not None]
    whole = len(kept) == len(times)
    columns: dict[str, list[Any]] = {}
    for name, column in values.items():
        where = f"{fields.values}.{name}"
        if not isinstance(column, list):
            reading.fault("payload:wrong-shape", f"{name} is no list of values", _SHAPE_HINT, where)
        elif len(column) != len(times):
            reading.fault(
                "batch:lengths-differ",
                f"{name} has {len(column)} values for {len(times)} times",
                "Give as many values as times, null where there is none",
                where,
            )
        else:
            columns[name] = column if whole else [column[i] for i in kept]
    batch.times = [t for t in read if t is not None]
    if not batch.times:
        if not times:
            reading.fault("payload:wrong-shape", "times is empty", _SHAPE_HINT, fields.times)
        return
    for name, column in columns.items():
        if all(map(_is_scalar, column)):
            batch.columns[name] = column
        else:
            _fault_value(next(v for v in column if not _is_scalar(v)), f"{fields.values}.{name}", reading)


def _is_scalar(value: object) -> bool:
    return value is None or isinstance(value, str | int | float)


def _fault_value(value: Any, where: str, reading: _Reading) -> None:
    kind = "a list" if isinstance(value, list) else "an object"
    reading.fault("value:wrong-type", f"{where} is {kind}", "A value is a number, text, true, false or null", where)


def _decode_arrow(twin: str, payload: bytes, reading: _Reading) -> Decoded:
    import pyarrow as pa  # noqa: PLC0415 - heavy, and only where Arrow comes in

    try:
        table = pa.ipc.open_stream(payload).read_all()
        metadata = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items()}
        content: dict[str, Any] = {k: metadata[k] for k in ("session", "quality") if k in metadata}
        if "seq" in metadata:
            content["seq"] = int(metadata["seq"])
        if "units" in metadata:
            content["units"] = json.loads(metadata["units"])
        content["replayed"] = metadata.get("replayed") == "true"
        names = list(table.column_names)
        if "time" in names:
            time = table["time"]
            if pa.types.is_timestamp(time.type):
                time = time.cast(pa.timestamp("ns", time.type.tz))
            content["times"] = time.cast(pa.int64()).to_pylist()
        content["values"] = {n: table[n].to_pylist() for n in names if n != "time"}
    except (pa.ArrowException, ValueError, TypeError, OverflowError, NotImplementedError, OSError) as e:
        reading.fault("payload:wrong-shape", f"Arrow stream cannot be read: {e!s:.200}", "Send an Arrow IPC stream")
        return [], reading.faults
    if "times" not in content:
        reading.fault("payload:wrong-shape", "The Arrow stream has no column time", "Add time as int64 nanoseconds")
        return [], reading.faults
    return decode_content(twin, content, 0, CANONICAL, reading.faults)
