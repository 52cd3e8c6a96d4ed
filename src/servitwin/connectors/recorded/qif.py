"""Inspection results from QIF 2.1 (ISO 23952) result files: which parts passed, and every measured characteristic."""

from __future__ import annotations

import gzip
import io
import re
import xml.etree.ElementTree as ET
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import msgspec

from servitwin.domain.error import Fault
from servitwin.domain.trace_event import Measure, Verdict

_NUMBER = re.compile(r"_[A-Z]?0*(\d+)_", re.ASCII)
_UNITS = {"degree": "deg", "radian": "rad", "inch": "[in_i]", "meter": "m"}
_VERDICTS: Mapping[str, Verdict] = {"PASS": "pass", "FAIL": "fail"}


class PartResult(msgspec.Struct, frozen=True):
    """Inspection of one part. ``passed`` is None where the file gives the part no verdict: it is unknown, not good.

    A characteristic that is measured at several places of the part has several measures of the same name.
    """

    product: str
    instance: int | None
    passed: bool | None
    characteristics: dict[str, int]  # verdict (PASS, FAIL, ...) -> how many
    report: str  # file and its own time of creation
    measures: tuple[Measure, ...] = ()


class ResultFile(msgspec.Struct, frozen=True):
    """What a result file says. ``fault``: it ends too early or is no XML; ``parts`` is what stood whole before that.

    ``raw``: the beginning of the file where there is a fault, for quarantine.
    """

    name: str
    parts: tuple[PartResult, ...]
    fault: Fault | None = None
    raw: str = ""


_RAW_KEPT = 4_000


def read_results(path: Path) -> ResultFile:
    """Results of all parts in a file named ``<Product>Results...``.

    The instance is the number in the part's serial number (``BOXRESULTS_A02_...`` is 2), None where a result names
    no part: it may be guessed from the order in the file, but a guess is no evidence. A file that is cut off is read
    to where it ends: serial numbers stand behind the results, so that its parts usually have no name.
    """
    product = path.name.split("Results")[0]
    content, broken = _content(path)
    root, wrong = _tree(content)
    problem = broken or wrong
    if root is None:
        fault = Fault("qif:not-xml", f"{path.name}: {problem}", "Fetch it again", file=path.name)
        return ResultFile(path.name, (), fault, content[:_RAW_KEPT].decode("utf-8", "replace"))
    parts = tuple(_parts(root, product, path.name))
    if not problem:
        return ResultFile(path.name, parts)
    named = sum(p.instance is not None for p in parts)
    message = (
        f"{path.name} is cut off or broken: {problem}; {len(parts)} inspected parts stand whole before that, "
        f"{named} of them with a serial number"
    )
    fault = Fault("qif:cut-off", message, "Fetch it again: parts without serial number count nowhere", file=path.name)
    return ResultFile(path.name, parts, fault, content[:_RAW_KEPT].decode("utf-8", "replace"))


def _content(path: Path) -> tuple[bytes, str]:
    """As much of the file as can be read, and why not all of it."""
    out = io.BytesIO()
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
            while block := stream.read(1 << 16):
                out.write(block)
    except (OSError, EOFError, zlib.error) as e:
        return out.getvalue(), str(e)
    return out.getvalue(), ""


def _tree(content: bytes) -> tuple[ET.Element | None, str]:
    """The document's root with every result that is whole, and what is wrong with the rest."""
    # Expat expands no external entities; the file is local.
    parser: ET.XMLPullParser[ET.Element] = ET.XMLPullParser(("start", "end"))
    root: ET.Element | None = None
    stack: list[ET.Element] = []
    problem = ""
    try:
        parser.feed(content)
        parser.close()
    except ET.ParseError as e:
        problem = str(e)
    try:
        for seen in parser.read_events():
            event, element = seen[0], seen[-1]
            if event == "end":
                stack.pop()
            elif isinstance(element, ET.Element):
                root = element if root is None else root
                stack.append(element)
    except ET.ParseError as e:
        problem = problem or str(e)
    for outer, inner in pairwise(stack):
        if inner.tag.endswith("}MeasurementResults"):
            outer.remove(inner)  # it is not whole
            break
    return root, problem


def _parts(root: ET.Element, product: str, name: str) -> Iterator[PartResult]:
    space = root.tag.partition("}")[0] + "}"
    report = f"{name} {root.findtext(f'{space}Version/{space}TimeCreated', '')}".strip()
    serials = {
        component.get("id"): component.findtext(f"{space}SerialNumber", "")
        for component in root.iter(f"{space}ActualComponent")
    }
    plan = _Plan(root, space)
    for results in root.iter(f"{space}MeasurementResults"):
        ref = results.findtext(f"{space}ActualComponentIds/{space}Id")
        number = _NUMBER.search(serials.get(ref, ""))
        verdicts = Counter(e.text or "" for e in results.iter(f"{space}CharacteristicStatusEnum"))
        yield PartResult(
            product, int(number.group(1)) if number else None, _passed(results, space), dict(verdicts), report,
            tuple(plan.measures(results)),
        )  # fmt: skip


class _Plan:
    """What the characteristics are: names, target values and tolerances."""

    def __init__(self, root: ET.Element, space: str) -> None:
        self._space = space
        self._names: dict[str, tuple[str, str]] = {}  # item: name, nominal
        self._nominals: dict[str, tuple[str, float | None]] = {}  # nominal: definition, target
        self._limits: dict[str, tuple[str, float | None, float | None]] = {}  # definition: kind, lower, upper
        units = {
            kind: root.findtext(f".//{space}PrimaryUnits/{space}{kind}/{space}UnitName", "")
            for kind in ("LinearUnit", "AngularUnit")
        }
        self._length, self._angle = (_UNITS.get(u, u) for u in units.values())
        for group, read in (
            ("CharacteristicDefinitions", self._definition),
            ("CharacteristicNominals", self._nominal),
            ("CharacteristicItems", self._item),
        ):
            for element in root.iterfind(f"{space}Characteristics/{space}{group}/*"):
                read(element.get("id", ""), element)

    def measures(self, results: ET.Element) -> Iterator[Measure]:
        """Measured values of one part, in the order of the file."""
        s = self._space
        for actual in results.iterfind(f"{s}MeasuredCharacteristics/{s}CharacteristicActuals/*"):
            value = _number(actual.findtext(f"{s}Value"))
            name, nominal = self._names.get(actual.findtext(f"{s}CharacteristicItemId", ""), ("", ""))
            if value is None or not name:
                continue
            definition, target = self._nominals.get(nominal, ("", None))
            kind, lower, upper = self._limits.get(definition, ("", None, None))
            verdict = _VERDICTS.get(actual.findtext(f"{s}Status/{s}CharacteristicStatusEnum", ""), "")
            base = target or 0.0
            limits = [None if v is None else round(v + (base if kind == "offset" else 0.0), 9) for v in (lower, upper)]
            unit = self._angle if "Angle" in actual.tag else self._length
            yield Measure(name, value, unit, limits[0], limits[1], target, verdict)

    def _definition(self, id: str, element: ET.Element) -> None:
        s = self._space
        zone = _number(element.findtext(f"{s}ToleranceValue"))
        if zone is not None:  # a zone of form or place: the deviation lies between nothing and its width
            self._limits[id] = ("limit", 0.0, zone)
            return
        tolerance = element.find(f"{s}Tolerance")
        if tolerance is not None:
            kind = "limit" if tolerance.findtext(f"{s}DefinedAsLimit") == "true" else "offset"
            low, high = (_number(tolerance.findtext(f"{s}{n}")) for n in ("MinValue", "MaxValue"))
            self._limits[id] = (kind, low, high)

    def _nominal(self, id: str, element: ET.Element) -> None:
        s = self._space
        definition = element.findtext(f"{s}CharacteristicDefinitionId", "")
        self._nominals[id] = (definition, _number(element.findtext(f"{s}TargetValue")))

    def _item(self, id: str, element: ET.Element) -> None:
        s = self._space
        self._names[id] = (element.findtext(f"{s}Name", ""), element.findtext(f"{s}CharacteristicNominalId", ""))


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _passed(results: ET.Element, space: str) -> bool | None:
    verdict = results.findtext(f"{space}InspectionStatus/{space}InspectionStatusEnum")
    return {"PASS": True, "FAIL": False}.get(verdict or "")
