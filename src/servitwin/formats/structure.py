"""Checks a tree against a JSON Schema of this package: every fault at once, with its place and its remedy.

The schema files are the only description of structure: editors read them, and so does this. Used of JSON Schema
(draft 2020-12): type, properties, additionalProperties, required, propertyNames, enum, const, pattern, bounds,
items, anyOf (told apart by type), $ref into $defs. ``x-check`` names one of :data:`CHECKS`, a rule that a schema
cannot say; ``x-hint`` is what to tell who got it wrong. ``allOf`` is for editors: a connector checks
its configuration itself.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import parse_duration
from servitwin.domain.unit import check_unit
from servitwin.formats.dates import check_day, check_instant
from servitwin.formats.yaml_node import MAX_FAULTS, Key, Node
from servitwin.formats.yaml_place import character_place

Schema = Mapping[str, Any]
_DROP = object()
_TYPE_NAMES = {
    "object": "a block of keys", "array": "a list", "string": "text", "number": "a number",
    "integer": "a whole number", "boolean": "true or false", "null": "nothing",
}  # fmt: skip


@cache
def schema(name: str) -> Schema:
    """A schema shipped with the package: ``machine-type`` or ``plant``."""
    loaded: Schema = json.loads(files("servitwin.formats").joinpath(f"schemas/{name}.schema.json").read_text("utf-8"))
    return loaded


def _duration(text: str) -> Fault | None:
    try:
        parse_duration(text)
    except InvalidInputError as e:
        return e.fault
    return None


def check_file_name(text: str) -> Fault | None:
    """A file beside the one that names it: relative, below its folder, with forward slashes."""
    parts = text.split("/")
    bad = text.startswith(("/", "~")) or "\\" in text or ":" in parts[0] or any(p in ("", ".", "..") for p in parts)
    if bad or any(ord(c) < 32 for c in text):
        message = f"{text[:60]!r} is no file below this folder"
        return Fault("file:outside-folder", message, "Write it like documents/manual.pdf, without .. or a drive")
    return None


CHECKS: dict[str, Callable[[str], Fault | None]] = {
    "duration": _duration,
    "unit": check_unit,
    "file": check_file_name,
    "instant": check_instant,
    "day": check_day,
}


class Structure:
    """One tree against one schema. ``faults`` fills while :meth:`clean` walks."""

    def __init__(self, root: Node, name: str, file: str | None = None) -> None:
        self.root = root
        self.file = file
        self.faults: list[Fault] = []
        self._schema = schema(name)
        self._kept: dict[tuple[Key, ...], list[int]] = {}  # of lists that lost entries: where the rest stood

    def clean(self) -> Any:
        """Plain data with what is faulty left out, so that the rest can be checked for its meaning too."""
        cleaned = self._walk(self.root, self._schema, ())
        return {} if cleaned is _DROP else cleaned

    def say_of_clean(
        self, path: tuple[Key, ...], code: str, message: str, hint: str = "", *, key: bool = False
    ) -> None:
        """Add a fault at a path of what :meth:`clean` gave, where faulty entries of lists are left out."""
        self.say(self._written(path), code, message, hint, key=key)

    def wrote(self, path: tuple[Key, ...]) -> bool:
        """Whether the file says anything at that path of what :meth:`clean` gave, be it faulty or not."""
        node: Any = self.root
        for step in self._written(path):
            in_list = isinstance(node.value, list) and isinstance(step, int) and step < len(node.value)
            if not in_list and not (isinstance(node.value, dict) and step in node.value):
                return False
            node = node.value[step]
        return True

    def _written(self, path: tuple[Key, ...]) -> tuple[Key, ...]:
        written: tuple[Key, ...] = ()
        for step in path:
            kept = self._kept.get(written)
            written = (
                *written,
                kept[step] if kept is not None and isinstance(step, int) and step < len(kept) else step,
            )
        return written

    def say(self, path: tuple[Key, ...], code: str, message: str, hint: str = "", *, key: bool = False) -> None:
        """Add a fault at a path of the file."""
        if len(self.faults) < MAX_FAULTS:
            line, column = self.root.place(path, key=key)
            self.faults.append(Fault(code, message, hint, where(path), line, column, self.file))

    def say_in_text(self, path: tuple[Key, ...], character: int, fault: Fault) -> None:
        """Add a fault at a character of a text at a path of what :meth:`clean` gave."""
        if len(self.faults) < MAX_FAULTS:
            node = self.root.find(self._written(path))
            line, column = character_place(node, character) if node is not None else self.root.place(path)
            self.faults.append(Fault(fault.code, fault.message, fault.hint, where(path), line, column, self.file))

    def _walk(self, node: Node, rule: Schema, path: tuple[Key, ...]) -> Any:
        rule = self._chosen(node, self._resolved(rule))
        wanted = rule.get("type")
        if wanted is not None and not _is(node.value, wanted):
            self._wrong_type(node, rule, wanted, path)
            return {} if wanted == "object" else _DROP
        if isinstance(node.value, dict):
            return self._walk_map(node, rule, path)
        if isinstance(node.value, list):
            return self._walk_list(node, rule, path)
        return node.value if self._scalar_is_right(node, rule, path) else _DROP

    def _resolved(self, rule: Schema) -> Schema:
        while "$ref" in rule:
            rest = {k: v for k, v in rule.items() if k != "$ref"}
            rule = {**self._schema["$defs"][rule["$ref"].removeprefix("#/$defs/")], **rest}
        return rule

    def _chosen(self, node: Node, rule: Schema) -> Schema:
        if "anyOf" not in rule:
            return rule
        branches = [self._resolved(b) for b in rule["anyOf"]]
        fitting = next((b for b in branches if _is(node.value, b["type"])), None)
        rest = {k: v for k, v in rule.items() if k != "anyOf"}
        if fitting is not None:
            return {**rest, **fitting}
        return {**rest, "type": [b["type"] for b in branches]}

    def _wrong_type(self, node: Node, rule: Schema, wanted: str | list[str], path: tuple[Key, ...]) -> None:
        names = [wanted] if isinstance(wanted, str) else wanted
        expected = " or ".join(dict.fromkeys(_TYPE_NAMES[n] for n in names))
        hint = rule.get("x-hint") or rule.get("description", "")
        if node.value is None:
            self.say(path, "file:empty", f"{where(path)!r} has no value", hint or "Give a value, or remove the line")
            return
        if "string" in names and isinstance(node.value, int | float | bool):
            hint = f'Put it in quotes: "{node.text}"'
        elif "number" in names and isinstance(node.value, str) and _reads_as_number(node.value):
            hint = f"Write it without quotes: {node.value}"
        self.say(path, "file:wrong-type", f"{where(path) or 'The file'} must be {expected}, not {_shown(node)}", hint)

    def _walk_map(self, node: Node, rule: Schema, path: tuple[Key, ...]) -> dict[str, Any]:
        known: Mapping[str, Schema] = rule.get("properties", {})
        others = rule.get("additionalProperties", True)
        cleaned: dict[str, Any] = {}
        for key, value in node.value.items():
            if key in known:
                found = self._walk(value, known[key], (*path, key))
            elif others is False:
                self._unknown_key(key, known, path, rule)
                continue
            else:
                self._check_name(key, self._resolved(rule.get("propertyNames", {})), path)
                found = value.plain() if others is True else self._walk(value, others, (*path, key))
            if found is not _DROP:
                cleaned[key] = found
        for key in rule.get("required", ()):
            if key not in node.value:
                hint = self._resolved(known.get(key, {})).get("description", "")
                self.say(path, "file:missing-key", f"{where(path) or 'The file'} needs {key!r}", hint, key=True)
        if len(node.value) < rule.get("minProperties", 0):
            self.say(path, "file:empty", f"{where(path)!r} is empty", rule.get("x-hint", "Say what it holds"))
        if len(node.value) > rule.get("maxProperties", math.inf):
            self.say(
                path, "file:too-many", f"{where(path)!r} has too many keys", rule.get("x-hint", "Keep one of them")
            )
        return cleaned

    def _unknown_key(self, key: str, known: Mapping[str, Schema], path: tuple[Key, ...], rule: Schema) -> None:
        special = rule.get("x-refused", {}).get(key)
        if special:
            self.say((*path, key), special["code"], special["message"], special["hint"], key=True)
            return
        near = did_you_mean(key, known) or f"Known here: {', '.join(known)}"
        self.say(
            (*path, key),
            "file:unknown-key",
            f"{key[:60]!r} is not known in {where(path) or 'this file'}",
            near,
            key=True,
        )

    def _check_name(self, key: str, rule: Schema, path: tuple[Key, ...]) -> None:
        pattern = rule.get("pattern")
        if pattern and not re.search(pattern, key):
            hint = rule.get("x-hint") or rule.get("description", "")
            self.say((*path, key), "file:name-not-allowed", f"{key[:60]!r} cannot be a name here", hint, key=True)

    def _walk_list(self, node: Node, rule: Schema, path: tuple[Key, ...]) -> list[Any]:
        count = len(node.value)
        least, most = rule.get("minItems", 0), rule.get("maxItems", math.inf)
        if not least <= count <= most:
            wanted = (
                f"exactly {least}" if least == most else f"at least {least}" if count < least else f"at most {most}"
            )
            hint = rule.get("x-hint") or rule.get("description", "")
            self.say(path, "file:wrong-count", f"{where(path)} has {count} entries and needs {wanted}", hint)
        items = rule.get("items", {})
        found = [self._walk(child, items, (*path, i)) for i, child in enumerate(node.value)]
        kept = [i for i, f in enumerate(found) if f is not _DROP]
        if len(kept) < len(found):
            self._kept[path] = kept
        return [found[i] for i in kept]

    def _scalar_is_right(self, node: Node, rule: Schema, path: tuple[Key, ...]) -> bool:
        value = node.value
        hint = rule.get("x-hint") or rule.get("description", "")
        choices = rule.get("enum")
        if choices is not None and value not in choices:
            near = f"{did_you_mean(str(value), choices)} One of: {', '.join(map(str, choices))}".strip()
            self.say(path, "file:not-a-choice", f"{where(path)} cannot be {_shown(node)}", near)
            return False
        if isinstance(value, str):
            return self._text_is_right(value, rule, path, hint)
        if isinstance(value, int | float) and not isinstance(value, bool):
            low, high = rule.get("minimum", -math.inf), rule.get("maximum", math.inf)
            too_low = value <= rule.get("exclusiveMinimum", -math.inf) if "exclusiveMinimum" in rule else value < low
            if not math.isfinite(value) or too_low or value > high:
                self.say(path, "file:out-of-range", f"{where(path)} cannot be {node.text}", hint)
                return False
        return True

    def _text_is_right(self, value: str, rule: Schema, path: tuple[Key, ...], hint: str) -> bool:
        if len(value) > rule.get("maxLength", math.inf) or len(value) < rule.get("minLength", 0):
            self.say(path, "file:wrong-length", f"{where(path)} has {len(value)} characters", hint or "Make it shorter")
            return False
        check = CHECKS.get(rule.get("x-check", ""))
        fault = check(value) if check else None
        if fault is not None:
            self.say(path, fault.code, fault.message, fault.hint)
            return False
        if "pattern" in rule and not re.search(rule["pattern"], value):
            self.say(path, "file:not-understood", f"{where(path)} cannot be {value[:60]!r}", hint)
            return False
        return True


def where(path: tuple[Key, ...]) -> str:
    """A path as people write it: ``states.rules[0].when``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def did_you_mean(word: str, known: Any) -> str:
    """A hint with the nearest known words, or nothing if none is near."""
    near = get_close_matches(str(word), [str(k) for k in known], 2, 0.6)
    return f"Did you mean {' or '.join(repr(n) for n in near)}?" if near else ""


def _is(value: Any, wanted: str | list[str]) -> bool:
    if isinstance(wanted, list):
        return any(_is(value, w) for w in wanted)
    kinds: dict[str, Any] = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
    if wanted in kinds:
        return isinstance(value, kinds[wanted])
    if isinstance(value, bool):
        return False
    if wanted == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return isinstance(value, int | float)


def _reads_as_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _shown(node: Node) -> str:
    if isinstance(node.value, dict):
        return "a block of keys"
    if isinstance(node.value, list):
        return "a list"
    return repr(node.value[:60]) if isinstance(node.value, str) else node.text[:60]
