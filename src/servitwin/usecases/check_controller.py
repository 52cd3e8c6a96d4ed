"""Checks controllers: texts of files in, a report out; needs no node."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from servitwin.domain.controller import Controller, Property
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.formats.controller_file import read_controller, read_property_blocks
from servitwin.formats.observation_csv import read_observations
from servitwin.formats.scxml import read_scxml
from servitwin.proof.controller.compare import Comparison, compare
from servitwin.proof.controller.conformance_report import Conformance, Seen
from servitwin.proof.controller.report import Report

SECONDS = 60.0
DEPTH = 60


class ControllerText(msgspec.Struct, frozen=True):
    """A controller as it was written. ``side``: ranges, properties and signals of an SCXML document."""

    text: str
    name: str = ""
    side: str | None = None
    side_name: str = ""


class Limits(msgspec.Struct, frozen=True):
    """How long and how deep a check may go; ``seed`` of its random runs."""

    seconds: float = SECONDS
    depth: int = DEPTH
    seed: int = 1


class Checked(msgspec.Struct, frozen=True):
    """What a check found.

    Attributes:
        report: answers, findings, and what was not settled.
        conformance: how well the model explains a recording; None where none was given.
        comparison: the older version beside it; None where none was given.
        obligations: SMT-LIB texts by file name; only where they were asked for.
        obligations_of_older: the same of the older version.
    """

    report: Report
    conformance: Conformance | None = None
    comparison: Comparison | None = None
    obligations: dict[str, str] = {}
    obligations_of_older: dict[str, str] = {}


def read(source: ControllerText) -> Controller:
    """The controller of a YAML file, or of an SCXML document with its side file.

    Raises:
        InvalidInputError: every fault, with its place.
    """
    is_xml = source.text.lstrip("\ufeff \t\r\n").startswith("<")
    if is_xml:
        found, faults = read_scxml(source.text, source.name or None, source.side, source.side_name or None)
    else:
        found, faults = read_controller(source.text, source.name or None)
        if source.side is not None:
            hint = "A YAML file holds its properties itself"
            fault = Fault("controller:side-file", "Only an SCXML document has a side file", hint, file=source.side_name)
            faults = [*faults, fault]
    if found is None or faults:
        raise InvalidInputError(faults)
    return found


def recorded(text: str, name: str = "") -> list[Seen]:
    """Observations of a CSV file, for :func:`check_controller`.

    Raises:
        InvalidInputError: every fault, with its line.
    """
    return [Seen(o.time, o.signal, o.value) for o in read_observations(text, name or None)]


def check_controller(
    source: ControllerText,
    clock: Callable[[], float],
    *,
    older: ControllerText | None = None,
    observations: Iterable[Seen] | None = None,
    limits: Limits = Limits(),  # noqa: B008  # immutable
    smt_lib: bool = False,
    cancel: Callable[[], bool] = lambda: False,
) -> Checked:
    """Check a controller, and an older version against the same properties.

    Args:
        source: the controller.
        clock: seconds that only grow (``time.monotonic``).
        older: a version to compare with; it gets the same time.
        observations: of the real machine, for the conformance of the model.
        limits: time and depth for each version.
        smt_lib: also write what another solver has to confirm.
        cancel: true ends the search with what is known.

    Raises:
        InvalidInputError: a file cannot be read.
    """
    # The solver is loaded here alone: nothing else of servitwin pays for it.
    from servitwin.proof.controller.check import Check  # noqa: PLC0415
    from servitwin.proof.controller.conformance import Conform  # noqa: PLC0415
    from servitwin.proof.controller.obligations import smt_lib as written  # noqa: PLC0415

    controller = read(source)
    before = read(older) if older is not None else None

    def checked(one: Controller, properties: Sequence[Property]) -> tuple[Report, dict[str, str]]:
        check = Check(one, properties)
        report = check.report(clock, seconds=limits.seconds, depth=limits.depth, seed=limits.seed, cancel=cancel)
        if not smt_lib:
            return report, {}
        return report, {f"{o.name}.smt2": written(check.system, o) for o in check.obligations(report)}

    report, obligations = checked(controller, controller.properties)
    conformance = None
    if observations is not None:
        clauses = [c for a in report.answers if a.proof is not None for c in a.proof.clauses]
        conformance = Conform(controller, clauses).compare(observations, limits.seconds, clock, cancel)
    if before is None:
        return Checked(report, conformance, None, obligations)
    asked = _asked_of(before, controller, source)
    old_report, old_obligations = checked(before, asked)
    comparison = compare(before, controller, asked, old_report, report)
    return Checked(report, conformance, comparison, obligations, old_obligations)


def _asked_of(older: Controller, newer: Controller, source: ControllerText) -> list[Property]:
    """The newer version's properties in the names of the older one; what it cannot say is left out."""
    blocks = source.side if source.side is not None else source.text
    return read_property_blocks(blocks, older, [p.name for p in newer.properties])
