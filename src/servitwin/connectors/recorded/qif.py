"""Inspection results from QIF 2.1 (ISO 23952) result files: which parts passed, and how many characteristics did."""

from __future__ import annotations

import gzip
import re
import xml.etree.ElementTree as ET
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from servitwin.domain.error import Fault, InvalidInputError

_NUMBER = re.compile(r"_[A-Z]?0*(\d+)_", re.ASCII)


class PartResult(msgspec.Struct, frozen=True):
    """Inspection of one part. ``passed`` is None where the file gives the part no verdict: it is unknown, not good."""

    product: str
    instance: int | None
    passed: bool | None
    characteristics: dict[str, int]  # verdict (PASS, FAIL, ...) -> how many
    report: str  # file and its own time of creation


def read_results(path: Path) -> Iterator[PartResult]:
    """Results of all parts in a file named ``<Product>Results...``.

    The instance is the number in the part's serial number (``BOXRESULTS_A02_...`` is 2), None where a result names
    no part: it may be guessed from the order in the file, but a guess is no evidence.

    Raises:
        InvalidInputError: ``qif:not-xml``.
    """
    product = path.name.split("Results")[0]
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
            root = ET.parse(stream).getroot()  # noqa: S314  (expat expands no external entities; the file is local)
    except (ET.ParseError, OSError, EOFError, zlib.error) as e:
        raise InvalidInputError(Fault("qif:not-xml", f"{path.name}: {e}", "Fetch it again", file=path.name)) from None
    space = root.tag.partition("}")[0] + "}"
    report = f"{path.name} {root.findtext(f'{space}Version/{space}TimeCreated', '')}".strip()
    serials = {
        component.get("id"): component.findtext(f"{space}SerialNumber", "")
        for component in root.iter(f"{space}ActualComponent")
    }
    for results in root.iter(f"{space}MeasurementResults"):
        ref = results.findtext(f"{space}ActualComponentIds/{space}Id")
        number = _NUMBER.search(serials.get(ref, ""))
        verdicts = Counter(e.text or "" for e in results.iter(f"{space}CharacteristicStatusEnum"))
        yield PartResult(
            product, int(number.group(1)) if number else None, _passed(results, space), dict(verdicts), report
        )


def _passed(results: ET.Element, space: str) -> bool | None:
    verdict = results.findtext(f"{space}InspectionStatus/{space}InspectionStatusEnum")
    return {"PASS": True, "FAIL": False}.get(verdict or "")
