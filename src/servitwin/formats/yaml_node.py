"""YAML 1.2 as a tree that knows its places: nothing is constructed, nothing grows beyond limits.

The scalars follow the core schema of YAML 1.2.2 (chapter 10.3): ``yes``, ``off`` and ``06:00`` are text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from servitwin.domain.error import Fault

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 40
MAX_NODES = 100_000  # keys count too, and aliases count as often as they are used
MAX_FAULTS = 200

_NULL = re.compile(r"(?:|~|null|Null|NULL)\Z")
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z", re.ASCII)
_SPECIAL = re.compile(r"([-+]?)\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z", re.ASCII)

Key = str | int


class Node:
    """A value in a file. ``value`` is a scalar, a dict of nodes or a list of nodes; ``text`` a scalar as written.

    ``raw`` is how the file spells a scalar with its quotes, escapes and line breaks where that is not its text; None
    where its characters have no place (an alias, a collection). ``style`` is YAML's: one of ``'"|>`` or none.
    """

    __slots__ = ("column", "key_places", "line", "raw", "size", "style", "text", "value")

    def __init__(self, value: Any, line: int, column: int, text: str = "") -> None:
        self.value = value
        self.line = line
        self.column = column
        self.text = text
        self.raw: str | None = None
        self.style = ""
        self.size = 1  # how many nodes it is with aliases written out
        self.key_places: dict[str, tuple[int, int]] = {}

    def place(self, path: tuple[Key, ...], *, key: bool = False) -> tuple[int, int]:
        """Line and column of what is at that path (its key if wanted), or of the nearest thing above it."""
        node, place = self, (self.line, self.column)
        for step in path:
            if isinstance(node.value, dict) and step in node.value:
                place = node.key_places[str(step)]
                node = node.value[step]
            elif isinstance(node.value, list) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                place = (node.line, node.column)
            else:
                return place
        return place if key else (node.line, node.column)

    def find(self, path: tuple[Key, ...]) -> Node | None:
        """What is at that path, or None."""
        node: Node = self
        step: Any
        for step in path:
            inside = node.value
            if (isinstance(inside, dict) and step in inside) or (
                isinstance(inside, list) and isinstance(step, int) and step < len(inside)
            ):
                node = inside[step]
            else:
                return None
        return node

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {k: v.plain() for k, v in self.value.items()}
        if isinstance(self.value, list):
            return [v.plain() for v in self.value]
        return self.value


class Parsed(NamedTuple):
    """A file read as YAML: its tree (None if nothing can be made of it) and what is wrong with it as YAML."""

    root: Node | None
    faults: list[Fault]
    file: str | None = None

    def keys(self, block: str = "") -> list[str]:
        """Keys of the file, or of one of its blocks; none where it has no such block."""
        node = self.root
        if block and node is not None:
            node = node.value.get(block) if isinstance(node.value, dict) else None
        return list(node.value) if node is not None and isinstance(node.value, dict) else []


def parse(source: str | Parsed, file: str | None = None) -> Parsed:
    """A text read as YAML; what was read already is taken as it is."""
    return source if isinstance(source, Parsed) else Parsed(*read_yaml(source, file), file)


class _Stop(Exception):  # noqa: N818  # no error of ours: it carries a fault out of the loop
    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def read_yaml(text: str, file: str | None = None) -> tuple[Node | None, list[Fault]]:
    """The document's tree, and what is wrong with it as YAML; None where nothing can be made of it.

    Faults: ``yaml:syntax``, ``yaml:duplicate-key``, ``yaml:key-not-text``, ``yaml:tag``, ``yaml:recursive``,
    ``yaml:too-large``, ``yaml:too-deep``, ``yaml:several-documents``, ``yaml:empty``.
    """
    if len(text) > MAX_CHARACTERS:
        hint = f"Divide it into files below {MAX_CHARACTERS} characters"
        return None, [Fault("yaml:too-large", f"The file has {len(text)} characters", hint, file=file)]
    composer = _Composer(file, text)
    try:
        composer.compose(YAML(typ="safe", pure=True).parse(text))
    except _Stop as e:
        return None, [*composer.faults, e.fault]
    except YAMLError as e:
        return None, [*composer.faults, _syntax_fault(e, text, file)]
    if composer.root is None:
        return None, [Fault("yaml:empty", "The file is empty", "Compare it with the guide's example", file=file)]
    return composer.root, composer.faults


def _syntax_fault(error: YAMLError, text: str, file: str | None) -> Fault:
    hint = "Check indentation (spaces, no tabs), colons and brackets just before this place"
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        what = error.problem or error.context or "not understood"
        if mark is not None:
            message = f"This is no YAML: {what}"
            return Fault("yaml:syntax", message, hint, line=mark.line + 1, column=mark.column + 1, file=file)
    if isinstance(error, ReaderError):
        before = text[: error.position] if isinstance(error.position, int) else ""
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        message = (
            f"The character U+{ord(text[len(before)]):04X} may not stand in YAML" if before != text else str(error)
        )
        return Fault("yaml:syntax", message, "Remove it, or escape it in double quotes", "", line, column, file)
    return Fault("yaml:syntax", f"This is no YAML: {error}", hint, file=file)


class _Composer:
    def __init__(self, file: str | None, text: str) -> None:
        self.file = file
        self._text = text
        self.root: Node | None = None
        self.faults: list[Fault] = []
        self._open: list[tuple[Node, str | None]] = []  # collections being read, with their anchors
        self._keys: list[tuple[str, tuple[int, int]] | None] = []  # the key that waits for its value
        self._anchors: dict[str, Node | None] = {}
        self._nodes = 0
        self._documents = 0

    def compose(self, events: Iterator[Any]) -> None:
        for event in events:
            if isinstance(event, DocumentStartEvent):
                self._documents += 1
                if self._documents > 1:
                    raise self._stop(
                        event, "yaml:several-documents", "A second document begins here", "Use one file each"
                    )
            elif isinstance(event, CollectionEndEvent):
                node, anchor = self._open.pop()
                self._keys.pop()
                if anchor:
                    self._anchors[anchor] = node
                self._add(event, node)
            elif isinstance(event, ScalarEvent):
                self._add(event, self._scalar(event), event.anchor)
            elif isinstance(event, AliasEvent):
                self._add(event, self._alias(event))
            elif isinstance(event, MappingStartEvent | SequenceStartEvent):
                self._begin(event)

    def _begin(self, event: Any) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise self._stop(event, "yaml:too-deep", f"Nested deeper than {MAX_DEPTH} levels", "Make it flatter")
        self._refuse_tag(event)
        mapping = isinstance(event, MappingStartEvent)
        line, column = _place(event)
        if event.anchor:
            self._anchors[event.anchor] = None  # None: not finished, an alias to it would be inside itself
        self._open.append((Node({} if mapping else [], line, column), event.anchor))
        self._keys.append(None)

    def _alias(self, event: Any) -> Node:
        node = self._anchors.get(event.anchor)
        if node is None:
            known = event.anchor in self._anchors
            code, what = ("yaml:recursive", "contains itself") if known else ("yaml:alias", "is not defined above")
            raise self._stop(event, code, f"The alias *{event.anchor} {what}", "Write the value out")
        line, column = _place(event)
        copy = Node(node.value, line, column, node.text)
        copy.size, copy.key_places = node.size, node.key_places
        return copy

    def _scalar(self, event: Any) -> Node:
        self._refuse_tag(event)
        line, column = _place(event)
        plain = event.implicit[0] if event.implicit else True
        text = self._whole(event)
        node = Node(resolve(text) if plain else text, line, column, text)
        raw = self._text[event.start_mark.index : event.end_mark.index]
        node.raw, node.style = "" if raw == text else raw, event.style or ""
        return node

    def _whole(self, event: Any) -> str:
        """The scalar's text; JSON escapes a character beyond U+FFFF as two halves, which belong together."""
        text: str = event.value
        if text.isascii():
            return text
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            hint = "Write the character itself, or both of its halves"
            raise self._stop(event, "yaml:syntax", "Half a character is escaped here", hint) from None

    def _refuse_tag(self, event: Any) -> None:
        tag = str(event.ctag) if getattr(event, "ctag", None) else ""
        if tag and tag != "None" and not tag.startswith("tag:yaml.org,2002:str"):
            self._say(event, "yaml:tag", f"The tag {tag!r} means nothing here", "Remove the tag")

    def _add(self, event: Any, node: Node, anchor: str | None = None) -> None:
        if anchor:
            self._anchors[anchor] = node
        self._nodes += node.size if isinstance(event, AliasEvent) else 1
        if self._nodes > MAX_NODES:
            raise self._stop(
                event, "yaml:too-large", f"More than {MAX_NODES} values", "Divide it, or use fewer aliases"
            )
        if not self._open:
            self.root = node
            return
        parent = self._open[-1][0]
        parent.size += node.size
        if isinstance(parent.value, list):
            parent.value.append(node)
        elif self._keys[-1] is None:
            self._keys[-1] = (self._key(event, node), (node.line, node.column))
        else:
            key, place = self._keys[-1]
            self._keys[-1] = None
            if key not in parent.value:
                parent.value[key] = node
                parent.key_places[key] = place

    def _key(self, event: Any, node: Node) -> str:
        if isinstance(node.value, dict | list):
            self._say(event, "yaml:key-not-text", "A key must be a word", "Write the key as plain text", node)
            return f"?{self._nodes}"
        parent = self._open[-1][0]
        if node.text in parent.value:
            first = parent.key_places[node.text][0]
            message = f"The key {node.text[:60]!r} is already there in line {first}"
            self._say(event, "yaml:duplicate-key", message, "Remove one of the two, or give it another name", node)
        return node.text

    def _say(self, event: Any, code: str, message: str, hint: str, node: Node | None = None) -> None:
        line, column = (node.line, node.column) if node else _place(event)
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(Fault(code, message, hint, line=line, column=column, file=self.file))

    def _stop(self, event: Any, code: str, message: str, hint: str) -> _Stop:
        line, column = _place(event)
        return _Stop(Fault(code, message, hint, line=line, column=column, file=self.file))


def _place(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def resolve(text: str) -> float | int | str | bool | None:
    """A plain scalar by the core schema of YAML 1.2."""
    if text in _BOOL:
        return _BOOL[text]
    if _NULL.match(text):
        return None
    if len(text) <= 40:  # longer digits are text: no number of a machine has them, and reading them costs
        if _INT.match(text):
            return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
        if _FLOAT.match(text):
            return float(text)
        special = _SPECIAL.match(text)
        if special:
            return float(f"{special.group(1) or ''}inf") if "inf" in text.lower() else float("nan")
    return text
