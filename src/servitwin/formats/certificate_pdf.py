"""A proof file as a printed certificate: what is proven, by whom, what is not, and a code that leads to the proof.

The certificate proves nothing by itself. It names the proof file by its digest; who doubts it verifies that file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from reportlab.lib.units import mm

from servitwin.domain.canonical_json import digest_of_bytes
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.formats.pdf_page import LEFT, RIGHT, PdfPage, wrapped

_HEADS = {
    "violated": "Certificate of a violation",
    "holds": "Certificate of a requirement met",
    "repaired": "Certificate of a repair",
}
_CODE = 34 * mm
_BESIDE_CODE = 66  # characters a line
_LONGEST_ADDRESS = 300


def certificate_pdf(
    content: bytes, title: str, proven: Sequence[str], not_proven: Sequence[str], address: str
) -> bytes:
    """The certificate of a proof file.

    ``content``: the file; ``title``, ``proven`` and ``not_proven``: what its verification found, in sentences;
    ``address``: URL of the proof, to which its digest is added as a fragment.

    Raises:
        InvalidInputError: ``proof:not-readable`` if the content is no proof file, ``proof:address-too-long``.
    """
    if len(address) > _LONGEST_ADDRESS:
        fault = Fault("proof:address-too-long", "The address is too long for a printed code", "Use a shorter address")
        raise InvalidInputError(fault)
    file = _read(content)
    digest = digest_of_bytes(content)
    page = PdfPage(f"Proof {digest}")
    page.text(LEFT, _HEADS[file["claim"]["kind"]], 15, bold=True)
    page.down(2)
    page.square_code(f"{address}#{digest}", _CODE)
    for line in wrapped(f"{title}.", _BESIDE_CODE):
        page.text(LEFT, line, 10, bold=True)
        page.down()
    page.down(0.4)
    _machine(page, file["machine"])
    below = 8.2  # lines that the code takes beside the text
    page.down(max(0.6, below - _lines_beside(title, file["machine"])))
    _head(page, "The requirement")
    _paragraphs(page, [file["requirement"]["text"]])
    _head(page, "What is proven")
    _paragraphs(page, proven)
    _head(page, "What is not proven")
    _paragraphs(page, not_proven)
    _log(page, file["log"])
    _head(page, "The proof")
    page.paragraph("This page proves nothing by itself. The proof is the file that the code leads to:")
    for part in _pieces(address):
        page.text(LEFT, part, 8)
        page.down(0.9)
    page.text(LEFT, digest, 8)
    page.down(1.1)
    page.paragraph(
        "Check it without a server: servitwin verify FILE --keys KEYS, or with the verifier alone, which needs "
        "Python and the package cryptography: python -m verifier FILE --keys KEYS."
    )
    return page.content()


def _read(content: bytes) -> dict[str, Any]:
    try:
        file = msgspec.json.decode(content, type=dict[str, Any])
        known = file["claim"]["kind"] in _HEADS and file["proof"] == "servitwin-proof@1"
    except (msgspec.DecodeError, KeyError, TypeError):
        known = False
    if not known:
        raise InvalidInputError(Fault("proof:not-readable", "This is no proof file", "Save the proof again"))
    return file


def _machine(page: PdfPage, machine: dict[str, str]) -> None:
    for name, value in _facts(machine):
        page.text(LEFT, name, 8.5, soft=True)
        page.text(LEFT + 24 * mm, value[:60], 8.5)
        page.down(0.9)


def _facts(machine: dict[str, str]) -> list[tuple[str, str]]:
    names = (("Machine", "title"), ("Serial", "serial"), ("Type", "type"), ("Twin", "uid"), ("Address", "dtid"))
    return [(name, machine[key]) for name, key in names if machine[key]]


def _lines_beside(title: str, machine: dict[str, str]) -> float:
    return len(wrapped(f"{title}.", _BESIDE_CODE)) + 0.9 * len(_facts(machine)) + 0.4


def _head(page: PdfPage, title: str) -> None:
    page.down(0.4)
    page.text(LEFT, title, 11, bold=True)
    page.down()


def _paragraphs(page: PdfPage, sentences: Sequence[str]) -> None:
    for sentence in sentences:
        for part in (piece for line in wrapped(sentence, 96) for piece in _pieces(line)):
            page.text(LEFT, part, 8.5)
            page.down(0.85)
        page.down(0.2)


def _log(page: PdfPage, log: dict[str, Any]) -> None:
    _head(page, "The log")
    rows = [("head of this proof", log["head"], "")]
    rows += [("co-signed head", c["head"], ", ".join(s["party"] for s in c["by"])) for c in log["cosigned"]]
    for name, signed, parties in rows:
        head = signed["head"]
        page.text(LEFT, f"{head['size']} entries, {name}, {head['made']}", 8.5)
        if parties:
            page.text(RIGHT, f"co-signed by {parties}"[:60], 8.5, right=True)
        page.down(0.85)
        page.text(LEFT, f"root {head['root']}", 7.5, soft=True)
        page.down(1.0)


def _pieces(text: str) -> list[str]:
    """Words longer than a line are cut: an address has no spaces."""
    return [text[i : i + 100] for i in range(0, len(text), 100)]
