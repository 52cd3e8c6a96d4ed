"""XML as elements that know their lines; no document type, no entities, nothing from outside."""

from __future__ import annotations

import re
from xml.parsers import expat

import msgspec

from servitwin.domain.error import Fault, InvalidInputError

MAX_CHARACTERS = 2_000_000
MAX_ELEMENTS = 50_000
MAX_DEPTH = 60
SCXML = "http://www.w3.org/2005/07/scxml"
OWN = "urn:servitwin:scxml"


class Element(msgspec.Struct):
    """An element: its local name, its namespace, its attributes (of another namespace as ``uri name``)."""

    name: str
    space: str
    attributes: dict[str, str]
    line: int
    children: list[Element]
    text: str = ""

    def own(self, name: str) -> str | None:
        """An attribute in servitwin's namespace."""
        return self.attributes.get(f"{OWN} {name}")


class _Stop(Exception):  # noqa: N818  # carries a fault out of the parser
    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def read_xml(text: str, file: str | None = None) -> Element:
    """The root element.

    Raises:
        InvalidInputError: ``xml:syntax``, ``xml:document-type``, ``xml:too-large``, ``xml:too-deep``.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidInputError(Fault("xml:too-large", f"The file has {len(text)} characters", "Divide it", file=file))
    # The text is decoded already: what its declaration says about bytes no longer holds.
    content = re.sub(r"\A\ufeff?\s*<\?xml[^>]*\?>", lambda m: "\n" * m.group().count("\n"), text).encode("utf-8")
    parser = expat.ParserCreate("utf-8", " ")
    parser.buffer_text = True
    root: list[Element] = []
    open_: list[Element] = []
    count = 0

    def stop(code: str, message: str, hint: str) -> _Stop:
        return _Stop(Fault(code, message, hint, line=parser.CurrentLineNumber, file=file))

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > MAX_ELEMENTS:
            raise stop("xml:too-large", f"More than {MAX_ELEMENTS} elements", "Divide the controller")
        if len(open_) >= MAX_DEPTH:
            raise stop("xml:too-deep", f"Nested deeper than {MAX_DEPTH} levels", "Make it flatter")
        space, _, local = name.rpartition(" ")
        element = Element(local, space, attributes, parser.CurrentLineNumber, [])
        (open_[-1].children if open_ else root).append(element)
        open_.append(element)

    def end(_: str) -> None:
        open_.pop()

    def characters(data: str) -> None:
        open_[-1].text += data

    def document_type(*_: object) -> None:
        raise stop("xml:document-type", "A document type is not read here", "Remove <!DOCTYPE ...> and its entities")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = document_type
    parser.EntityDeclHandler = document_type
    try:
        parser.Parse(content, True)
    except _Stop as e:
        raise InvalidInputError(e.fault) from None
    except expat.ExpatError as e:
        message = f"This is no XML: {expat.errors.messages.get(e.code, str(e))}"
        fault = Fault("xml:syntax", message, "Check the brackets before", line=e.lineno, column=e.offset + 1, file=file)
        raise InvalidInputError(fault) from None
    return root[0]
