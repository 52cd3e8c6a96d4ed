"""Two versions of a controller against the same properties: what was wrong, and whether it is mended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from servitwin.domain.controller import Controller, Property
from servitwin.domain.controller_flat import input_ranges, region_ranges
from servitwin.domain.controller_term import Name, Range, Term, names_in
from servitwin.proof.controller.report import Answer, Report

Change = Literal["mended", "broken", "still violated", "still proven", "not settled", "not asked of the older one"]


class Compared(msgspec.Struct, frozen=True):
    """One property in both versions.

    Attributes:
        change: ``mended``: violated before, proven now; ``broken``: the other way round; ``not settled``: at least one
            version is only searched up to a depth.
        meaning: why it is not the same question in both versions; empty: it is.
    """

    name: str
    text: str
    older: Answer | None
    newer: Answer
    change: Change
    meaning: tuple[str, ...] = ()


class Comparison(msgspec.Struct, frozen=True):
    """Both reports side by side. ``gone``: properties that only the older version's own file had."""

    older: Report
    newer: Report
    properties: tuple[Compared, ...]
    gone: tuple[str, ...]


def compare(
    older: Controller, newer: Controller, asked_of_older: Sequence[Property], before: Report, after: Report
) -> Comparison:
    """Join two reports. ``asked_of_older``: the newer properties, read with the names of the older controller."""
    answers = {a.name: a for a in before.answers}
    asked = {p.name: p for p in asked_of_older}
    own = {p.name: p for p in older.properties}
    rows = []
    for p, answer in zip(newer.properties, after.answers, strict=True):
        old = answers.get(p.name)
        meaning = tuple(_differs(p, own.get(p.name), asked.get(p.name), older, newer))
        rows.append(Compared(p.name, p.text, old, answer, _change(old, answer), meaning))
    gone = tuple(n for n in own if n not in {p.name for p in newer.properties})
    return Comparison(before, after, tuple(rows), gone)


def _change(old: Answer | None, new: Answer) -> Change:
    if old is None:
        return "not asked of the older one"
    pair = (old.outcome, new.outcome)
    known: dict[tuple[str, str], Change] = {
        ("violated", "proven"): "mended",
        ("proven", "violated"): "broken",
        ("violated", "violated"): "still violated",
        ("proven", "proven"): "still proven",
    }
    return known.get(pair, "not settled")


def _differs(
    new: Property, own: Property | None, asked: Property | None, older: Controller, newer: Controller
) -> list[str]:
    found = []
    if asked is None:
        found.append("It names something that the older controller does not have")
    if own is not None and (own.formula, own.within) != (new.formula, new.within):
        found.append(f"The older file says {own.formula!r}, the newer {new.formula!r}")
    if own is not None and own.text != new.text:
        found.append("Its sentence was changed")
    before, after = _ranges(older), _ranges(newer)
    for name in sorted({*_names(new.holds), *_names(new.trigger)}):
        if name in before and name in after and before[name] != after[name]:
            found.append(f"{name} has other values than before: {_told(before[name])}, now {_told(after[name])}")
    if older.tick != newer.tick and new.kind == "response":
        found.append(f"A step took {older.tick} ns and now takes {newer.tick} ns")
    if older.assumptions != newer.assumptions:
        found.append("What the world is assumed never to break differs")
    return found


def _names(term: Term) -> list[str]:
    return [term.name] if isinstance(term, Name) else list(names_in(term))


def _ranges(controller: Controller) -> dict[str, Range]:
    found = {**region_ranges(controller.regions), **input_ranges(controller)}
    found |= {v.name: v.range for v in controller.variables}
    return found | {t.name: t.range for t in controller.timers}


def _told(range: Range) -> str:
    return ", ".join(range.words) if range.kind == "word" else f"{range.shown(range.low)} to {range.shown(range.high)}"
