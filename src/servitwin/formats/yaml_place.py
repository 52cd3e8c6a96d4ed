"""Where a character of a text stands in the YAML file: behind quotes, escapes, folded lines and indentation."""

from __future__ import annotations

from servitwin.formats.yaml_node import Node

_LENGTHS = {"x": 4, "u": 6, "U": 10}


def character_place(node: Node, character: int) -> tuple[int, int]:
    """1-based line and column of a character of the node's text, or of the node where the file does not say."""
    if node.raw is None:
        return node.line, node.column
    if not node.raw:
        return node.line, node.column + character
    at: int | None = _first(node.raw, node.style)
    for i, c in enumerate(node.text[: character + 1]):
        found = _reached(node.raw, at, c, node.style)
        if found is None:
            return node.line, node.column
        at = found if i == character else found + _length(node.raw, found, c, node.style)
    before = node.raw[:at]
    last = before.rfind("\n")
    if last < 0:
        return node.line, node.column + len(before)
    return node.line + before.count("\n"), len(before) - last


def _first(raw: str, style: str) -> int:
    """Where the text begins: behind anchor and tag, the quote, or the line of ``|`` or ``>``."""
    at = 0
    while raw[at : at + 1] in ("&", "!"):
        while at < len(raw) and not raw[at].isspace():
            at += 1
        while at < len(raw) and raw[at].isspace():
            at += 1
    if style in ("|", ">"):
        line = raw.find("\n", at)
        return len(raw) if line < 0 else line + 1
    return at + 1 if style in ("'", '"') else at


def _reached(raw: str, at: int | None, c: str, style: str) -> int | None:
    """Where the next character of the text is spelled: white space that only folds or indents lies between."""
    if at is None:
        return None
    if c.isspace() and raw[at : at + 1] != "\\":
        return at
    while at < len(raw):
        if raw[at].isspace():
            at += 1
        elif style == '"' and raw.startswith(("\\\n", "\\\r\n"), at):
            at += 2
        else:
            break
    escaped = style == '"' and raw[at : at + 1] == "\\"
    return at if escaped or raw[at : at + 1] == c else None


def _length(raw: str, at: int, c: str, style: str) -> int:
    """How many characters of the file spell this one."""
    if style == '"' and raw[at : at + 1] == "\\":
        return _LENGTHS.get(raw[at + 1 : at + 2], 2)
    if style == "'" and c == "'":
        return 2
    if not c.isspace():
        return 1
    return 1 if raw[at : at + 1].isspace() else 0
