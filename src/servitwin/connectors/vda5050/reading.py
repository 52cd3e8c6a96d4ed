"""Looks values of a message up and collects all that is wrong with them."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from servitwin.connectors.vda5050.message import VERSIONS
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import parse_instant

Json = dict[str, Any]
_MAX = 1_000_000  # bytes of a message


class Header(msgspec.Struct, frozen=True):
    """What every message begins with."""

    number: int
    stamp: int
    version: str

    @property
    def major(self) -> int:
        """2 or 3."""
        return int(self.version[0])


class Reading:
    """A message being read: looks values up and collects what is wrong with them."""

    def __init__(self, payload: bytes) -> None:
        self.faults: list[Fault] = []
        self.content: Json = {}
        if len(payload) > _MAX:
            raise InvalidInputError(Fault("vda5050:too-long", f"{len(payload)} bytes", f"Send up to {_MAX} bytes"))
        try:
            content = msgspec.json.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
            message = f"The payload is no JSON: {str(e)[:120]}"
            raise InvalidInputError(Fault("vda5050:not-json", message, "VDA 5050 messages are JSON objects")) from e
        if not isinstance(content, dict):
            raise InvalidInputError(Fault("vda5050:not-json", "The payload is no JSON object", "Send an object"))
        self.content = content

    def fault(self, code: str, message: str, hint: str, where: str) -> None:
        """Note one thing that is wrong."""
        if len(self.faults) < 50:
            self.faults.append(Fault(f"vda5050:{code}", message, hint, where))

    def done(self) -> None:
        """Raise all that was found, if anything was."""
        if self.faults:
            raise InvalidInputError(self.faults)

    def text(self, of: Json, key: str, where: str, default: str | None = None) -> str:
        """A text; ``default`` None: it has to be there."""
        value = of.get(key, default)
        if isinstance(value, str):
            return value
        self._missing(of, key, where, "text")
        return ""

    def flag(self, of: Json, key: str, where: str, default: bool | None = None) -> bool:
        """True or false."""
        value = of.get(key, default)
        if isinstance(value, bool):
            return value
        self._missing(of, key, where, "true or false")
        return False

    def number(
        self, of: Json, key: str, where: str, default: float | None = None, low: float = -1e12, high: float = 1e12
    ) -> float:
        """A finite number within bounds."""
        value = of.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._missing(of, key, where, "a number")
            return 0.0
        if not (math.isfinite(value) and low <= value <= high):
            self.fault("value-impossible", f"{key} is {value}", f"It is between {low:g} and {high:g}", f"{where}{key}")
            return 0.0
        return float(value)

    def whole(self, of: Json, key: str, where: str) -> int:
        """A count from 0 on."""
        value = of.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        self._missing(of, key, where, "a whole number from 0 on")
        return 0

    def word(self, of: Json, key: str, where: str, words: frozenset[str], default: str | None = None) -> str:
        """One of some words."""
        value = self.text(of, key, where, default)
        if value and value not in words:
            self.fault(
                "word-unknown", f"{key} is {value[:40]!r}", f"One of {', '.join(sorted(words))}", f"{where}{key}"
            )
        return value

    def block(self, of: Json, key: str, where: str, *, needed: bool) -> Json | None:
        """An object."""
        value = of.get(key)
        if isinstance(value, dict):
            return value
        if needed or value is not None:
            self._missing(of, key, where, "an object")
        return None

    def rows(self, of: Json, key: str, where: str, *, needed: bool) -> list[Json]:
        """A list of objects."""
        value = of.get(key)
        if value is None and not needed:
            return []
        if isinstance(value, list) and all(isinstance(v, dict) for v in value):
            return value
        self._missing(of, key, where, "a list of objects")
        return []

    def header(self) -> Header:
        """The header of the message.

        Raises:
            InvalidInputError: ``vda5050:version-unknown`` and whatever else is wrong with it.
        """
        c = self.content
        version = self.text(c, "version", "")
        known = version in VERSIONS or version.split(".")[:2] in [v.split(".")[:2] for v in VERSIONS]
        if version and not known:
            hint = f"This connector speaks {', '.join(VERSIONS)}"
            self.fault("version-unknown", f"The message is of version {version[:40]!r}", hint, "version")
        stamp = 0
        text = self.text(c, "timestamp", "")
        if text:
            try:
                stamp = parse_instant(text)
            except InvalidInputError as e:
                self.fault("time-wrong", e.fault.message, e.fault.hint, "timestamp")
        number = self.whole(c, "headerId", "")
        self.text(c, "manufacturer", "")
        self.text(c, "serialNumber", "")
        if not known:
            self.done()
        return Header(number, stamp, version)

    def _missing(self, of: Json, key: str, where: str, wanted: str) -> None:
        if key in of:
            self.fault("value-wrong", f"{key} is {str(of[key])[:40]!r}", f"It is {wanted}", f"{where}{key}")
        else:
            self.fault("field-missing", f"{key} is not there", f"Send {key}: {wanted}", f"{where}{key}")
