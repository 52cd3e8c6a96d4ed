"""XML from nested tuples: ``("cbc:ID", text)``, ``("cac:Party", [children])``, ``("cbc:X", text, {attributes})``."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import Any

Element = tuple[Any, ...]


def document(root: str, children: Sequence[Element | None], namespaces: Mapping[str, str], default: str = "") -> bytes:
    """A whole document; ``None`` among the children is left out."""
    for prefix, uri in namespaces.items():
        ET.register_namespace(prefix, uri)
    spaces = {**namespaces, "": default}
    top = ET.Element(_name(root, spaces))
    _add(top, children, spaces)
    return bytes(ET.tostring(top, "utf-8", xml_declaration=True))


def _add(parent: ET.Element, children: Sequence[Element | None], spaces: Mapping[str, str]) -> None:
    for child in children:
        if child is None:
            continue
        name, content, *rest = child
        if content is None or content in ("", []):
            continue
        element = ET.SubElement(parent, _name(name, spaces), dict(rest[0]) if rest else {})
        if isinstance(content, str):
            element.text = content
        else:
            _add(element, content, spaces)


def _name(name: str, spaces: Mapping[str, str]) -> str:
    prefix, _, local = name.rpartition(":")
    uri = spaces[prefix]
    return f"{{{uri}}}{local}" if uri else local
