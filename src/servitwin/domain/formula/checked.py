"""One call from the text of a requirement to what monitors need, or to all that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from servitwin.domain.error import Fault
from servitwin.domain.formula.check import check
from servitwin.domain.formula.read import read
from servitwin.domain.formula.tree import Formula, invariant, reach, signals_of
from servitwin.domain.formula.vacuity import vacuity_faults
from servitwin.domain.signal import SignalDefinition


class Checked(NamedTuple):
    """A formula that was read and checked.

    Attributes:
        tree: what is evaluated; None as soon as there is one fault.
        faults: each with line and column in the formula's text, in the order of the text.
        past: nanoseconds that its truth at an instant looks back; None: without end.
        future: nanoseconds after which a verdict is certain at the latest.
        signals: full names of the signals that it reads, in the order of the text; ``state`` for the machine's state.
    """

    tree: Formula | None
    faults: list[Fault]
    past: int | None = 0
    future: int = 0
    signals: tuple[str, ...] = ()


def requirement_formula(text: str, signals: Mapping[str, SignalDefinition], component: str = "") -> Checked:
    """A requirement's formula: read, checked against the signals, and tested for being vacuous or unsatisfiable.

    ``component`` is the path of the component that it belongs to, whose signals can be named without it.
    Faults are those of :func:`~servitwin.domain.formula.read.read`, :func:`~servitwin.domain.formula.check.check` and
    :func:`~servitwin.domain.formula.vacuity.vacuity_faults`.
    """
    written = read(text)
    if written.tree is None:
        return Checked(None, written.faults)
    tree, faults = check(written.tree, signals, component, text)
    told = sorted([*written.faults, *faults], key=lambda f: (f.line or 0, f.column or 0))
    if told or tree is None:
        return Checked(None, told)
    vacuous = vacuity_faults(tree, signals, text)
    if vacuous:
        return Checked(None, vacuous)
    past, future = reach(invariant(tree))
    return Checked(tree, [], past, future, signals_of(tree))
