"""Words of GS1 EPCIS 2.0 and its Core Business Vocabulary (CBV 2.0), and what they are for us."""

from __future__ import annotations

from servitwin.domain.trace_event import TraceKind, Verdict

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
PREFIX, NAMESPACE = "servitwin", "urn:servitwin:trace:"
EVENT_TYPES = ("ObjectEvent", "AggregationEvent", "TransformationEvent", "AssociationEvent", "TransactionEvent")
READ_TYPES = EVENT_TYPES[:4]
ACTIONS = ("ADD", "OBSERVE", "DELETE")

BIZ_STEP: dict[TraceKind, str] = {
    "made": "commissioning",
    "operation": "other",
    "assembled": "assembling",
    "packed": "packing",
    "unpacked": "unpacking",
    "measured": "inspecting",
    "scrapped": "decommissioning",
}
DISPOSITION: dict[TraceKind, str] = {"made": "active", "scrapped": "inactive"}
OF_VERDICT: dict[Verdict, str] = {"pass": "conformant", "fail": "non_conformant"}
VERDICT_OF: dict[str, Verdict] = {"conformant": "pass", "non_conformant": "fail"}

# UCUM unit: measurement type of the GS1 Web Vocabulary, and code of UN/ECE Recommendation 20.
MEASUREMENTS = {
    "mm": ("Length", "MMT"),
    "um": ("Length", "4H"),
    "cm": ("Length", "CMT"),
    "m": ("Length", "MTR"),
    "deg": ("Angle", "DD"),
    "rad": ("Angle", "C81"),
    "Cel": ("Temperature", "CEL"),
    "K": ("Temperature", "KEL"),
    "kg": ("Mass", "KGM"),
    "g": ("Mass", "GRM"),
    "bar": ("Pressure", "BAR"),
    "s": ("Time", "SEC"),
    "1": ("Dimensionless", "C62"),
    "%": ("Dimensionless", "P1"),
}
UNIT_OF_CODE = {code: unit for unit, (_, code) in MEASUREMENTS.items()}


def short_word(word: str) -> str:
    """A CBV value without its name space: as CURIE, URN or Web URI it means the same."""
    return word.rsplit("/", 1)[-1].rsplit(":", 1)[-1].removeprefix("BizStep-").removeprefix("Disp-")
