"""Ids of traced objects as EPCIS wants them: URIs. A company with GTINs gets GS1 keys, everybody else ours.

``urn:servitwin:obj:...`` names one thing, ``urn:servitwin:class:...`` a batch, ``urn:servitwin:loc:...`` a twin's
place. The name space is private (CBV 2.0, 8.2: private or industry-wide URNs) and not registered.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from servitwin.domain.error import Fault, InvalidInputError

OBJECT, CLASS, PLACE = "urn:servitwin:obj:", "urn:servitwin:class:", "urn:servitwin:loc:"
SGTIN, LGTIN = "urn:epc:id:sgtin:", "urn:epc:class:lgtin:"
_GTIN = re.compile(r"(\d{6,12})\.(\d{1,7})\Z", re.ASCII)
_GTIN_LINK = re.compile(r"\Ahttps?://[^/]+/(?:[^?#]*/)?01/(\d{8,14})(?:/|\Z)", re.ASCII)
_SAFE = "-._~!$'()*+,;="


def is_uri(text: str) -> bool:
    """Whether a text is an absolute URI already."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*:\S+\Z", text) is not None


def check_gtin(gtin: str, where: str) -> list[Fault]:
    """Faults of ``CompanyPrefix.IndicatorAndItem``: 13 digits with a dot, as EPC URIs write a GTIN (TDS 2.0, 6.3.1)."""
    match = _GTIN.match(gtin)
    if match and len(match.group(1)) + len(match.group(2)) == 13:
        return []
    hint = "Company prefix, a dot, indicator and item reference: 13 digits, as 614141.1123456"
    return [Fault("trace:gtin-invalid", f"{gtin!r} is no GTIN", hint, where)]


def part_id(serial: str, gtin: str = "") -> str:
    """The id of one part; a serial that is a URI stays."""
    if is_uri(serial):
        return serial
    return f"{SGTIN}{gtin}.{quote(serial, safe=_SAFE)}" if gtin else OBJECT + quote(serial, safe=_SAFE)


def batch_id(lot: str, gtin: str = "") -> str:
    """The id of a material batch; a lot that is a URI stays."""
    if is_uri(lot):
        return lot
    return f"{LGTIN}{gtin}.{quote(lot, safe=_SAFE)}" if gtin else CLASS + quote(lot, safe=_SAFE)


def short_name(id: str) -> str:
    """What people read and type: the last part of the id."""
    if id.startswith((SGTIN, LGTIN)):
        return unquote(id.rsplit(":", maxsplit=1)[-1].split(".", 2)[-1])
    return unquote(id.rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1])


def gtin_of(id: str) -> str:
    """Of which article a part or batch is by its GS1 key, as the key writes it; empty: it does not tell."""
    if id.startswith((SGTIN, LGTIN)):
        return id.rsplit(":", maxsplit=1)[-1].rsplit(".", 1)[0]
    return "".join(_GTIN_LINK.findall(id)[:1])


def place_id(twin: str) -> str:
    """Address of a twin's place; an address of others stays."""
    return twin if not twin or is_uri(twin) else PLACE + twin


def twin_of_place(place: str) -> str:
    """The twin's id of one of our places; another address stays as it is."""
    return place.removeprefix(PLACE)


def require_object_id(id: str) -> str:
    """The id, if it can be one.

    Raises:
        InvalidInputError: ``trace:id-invalid``.
    """
    if not id or len(id) > 400 or not id.isprintable() or " " in id:
        raise InvalidInputError(
            Fault("trace:id-invalid", "That is no id of a part", "GET /api/v1/parts lists them", "id")
        )
    return id
