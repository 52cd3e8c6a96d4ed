"""Plain, printable pages: what invoices and settlements share when they become PDF. Fonts are embedded."""

from __future__ import annotations

import io
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import reportlab
from reportlab.graphics import renderPDF
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

INK, SOFT, RULE = HexColor("#1b1f23"), HexColor("#5c6670"), HexColor("#c9d0d6")
LEFT, RIGHT, TOP, BOTTOM = 20 * mm, 190 * mm, 277 * mm, 25 * mm
LINE = 5.2 * mm


class PdfPage:
    """Pages written from top to bottom; a new one begins where the last is full. The same content, the same bytes."""

    def __init__(self, foot: str) -> None:
        _register_fonts()
        self._target = io.BytesIO()
        self._canvas = Canvas(self._target, pagesize=A4, invariant=1)
        self._foot = foot
        self._number = 1
        self.y = TOP

    def text(
        self, x: float, text: str, size: float = 9, *, bold: bool = False, soft: bool = False, right: bool = False
    ) -> None:
        """Write at ``x`` on the present line, from there or up to there."""
        self._canvas.setFont("VeraBd" if bold else "Vera", size)
        self._canvas.setFillColor(SOFT if soft else INK)
        (self._canvas.drawRightString if right else self._canvas.drawString)(x, self.y, text)

    def paragraph(self, text: str, size: float = 9, *, soft: bool = False, width: int = 92) -> None:
        """Write text over as many lines as it needs."""
        for part in wrapped(text, width):
            self.text(LEFT, part, size, soft=soft)
            self.down(0.9)

    def row(self, cells: Sequence[tuple[float, str, bool]], size: float = 8.5, *, soft: bool = False) -> None:
        """Write cells (place, text, whether it ends there) and go to the next line."""
        for x, text, right in cells:
            self.text(x, text, size, soft=soft, right=right)
        self.down(0.9)

    def down(self, lines: float = 1.0) -> None:
        """Go down; beyond the end of the page on a new one."""
        self.y -= lines * LINE
        if self.y < BOTTOM:
            self._end_page()
            self._canvas.showPage()
            self._number += 1
            self.y = TOP

    def rule(self) -> None:
        """A line across the page."""
        self.down(0.4)
        self._canvas.setStrokeColor(RULE)
        self._canvas.line(LEFT, self.y, RIGHT, self.y)
        self.down(0.9)

    def square_code(self, content: str, size: float) -> None:
        """A code for cameras (QR, ISO/IEC 18004) with its upper edge at the present line, at the right."""
        code = QrCodeWidget(content, barLevel="M", barFillColor=INK, barBorder=0)
        left, bottom, right, top = code.getBounds()
        drawing = Drawing(size, size, transform=[size / (right - left), 0, 0, size / (top - bottom), 0, 0])
        drawing.add(code)
        renderPDF.draw(drawing, self._canvas, RIGHT - size, self.y - size + LINE / 2)

    def content(self) -> bytes:
        """The whole document."""
        self._end_page()
        self._canvas.save()
        return self._target.getvalue()

    def _end_page(self) -> None:
        self._canvas.setStrokeColor(RULE)
        self._canvas.line(LEFT, 18 * mm, RIGHT, 18 * mm)
        self._canvas.setFont("Vera", 7.5)
        self._canvas.setFillColor(SOFT)
        self._canvas.drawString(LEFT, 13 * mm, self._foot)
        self._canvas.drawRightString(RIGHT, 13 * mm, str(self._number))


def wrapped(text: str, width: int) -> list[str]:
    """Text cut into lines of at most ``width`` characters between words; a longer word has a line of its own."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        if line and len(line) + len(word) + 1 > width:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return [*lines, line] if line else lines


def grouped(value: Decimal) -> str:
    """A decimal with its thousands parted by a space."""
    return f"{value:,f}".replace(",", " ")


def _register_fonts() -> None:
    folder = Path(reportlab.__file__).parent / "fonts"
    if "Vera" not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont("Vera", str(folder / "Vera.ttf")))
        pdfmetrics.registerFont(TTFont("VeraBd", str(folder / "VeraBd.ttf")))
