"""Criteria of acceptance in a contract file (row C21): what people judge and what the twin measures."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Literal

from servitwin.domain.acceptance import AcceptanceTerms, Criterion
from servitwin.formats.structure import did_you_mean
from servitwin.formats.written_decimal import maybe_decimal
from servitwin.formats.yaml_node import Key

Block = Mapping[str, Any]
Say = Callable[[tuple[Key, ...], str, str, str], None]
SignalsOf = Callable[[str], Collection[str] | None]


def read_acceptance(
    data: Block, guaranteed: bool, say: Say, signals_of: SignalsOf | None
) -> Literal["required", "given"] | AcceptanceTerms:
    """What a contract file says of acceptance; faults have codes ``contract:criterion-...`` and the like.

    ``guaranteed``: whether the contract has a guarantee, whose formula availability is measured by.
    ``signals_of``: names of a twin's signals; None where they are not known and so not checked.
    """
    word: Literal["required", "given"] = data.get("acceptance", "given")
    if "criteria" not in data:
        return word
    if data.get("acceptance") == "given":
        message = "Criteria decide nothing where acceptance is given"
        say(("acceptance",), "contract:criteria-decide-nothing", message, "Write `acceptance: required`")
    criteria: list[Criterion] = []
    for place, entry in enumerate(data["criteria"]):
        if not {"step", "name"} <= entry.keys():
            continue  # told as a fault of structure
        criterion = _criterion(entry)
        if criterion.name in {c.name for c in criteria}:
            message = f"{criterion.name!r} is named twice"
            say(("criteria", place, "name"), "contract:criterion-twice", message, "Give each criterion its own name")
        for key, code, message, hint in _faults(criterion, guaranteed):
            say(("criteria", place, *key), code, message, hint)
        if criterion.signal and signals_of is not None:
            _check_signal(criterion.signal, data.get("machines", []), signals_of, say, place)
        criteria.append(criterion)
    return AcceptanceTerms(tuple(criteria))


def _check_signal(signal: str, machines: list[str], signals_of: SignalsOf, say: Say, place: int) -> None:
    for machine in machines:
        known = signals_of(machine)
        if known is not None and signal not in known:
            hint = did_you_mean(signal, known) or "Its machine type names the signals"
            message = f"{machine} has no signal {signal!r}"
            say(("criteria", place, "signal"), "contract:signal-unknown", message, hint)
            return


def _criterion(entry: Block) -> Criterion:
    return Criterion(
        step=entry["step"],
        name=entry["name"],
        signal=entry.get("signal", ""),
        statistic=entry.get("statistic", "tw_mean"),
        at_least=maybe_decimal(entry.get("at_least")),
        at_most=maybe_decimal(entry.get("at_most")),
        availability=maybe_decimal(entry.get("availability")),
        hours=maybe_decimal(entry.get("hours")),
    )


def _faults(criterion: Criterion, guaranteed: bool) -> Iterator[tuple[tuple[str, ...], str, str, str]]:
    """Where, code, message and remedy of what does not fit together in a criterion."""
    low, high = criterion.at_least, criterion.at_most
    bounded = low is not None or high is not None
    if criterion.signal and criterion.availability is not None:
        message = "A criterion measures a signal or availability"
        yield ("availability",), "contract:criterion-mixed", message, "Make two criteria of it"
    if criterion.signal and not bounded:
        yield (), "contract:criterion-incomplete", "A measured signal needs a bound", "Add `at_least:` or `at_most:`"
    if bounded and not criterion.signal:
        yield (), "contract:criterion-incomplete", "Bounds need a signal", "Add `signal:`"
    if criterion.measured and criterion.hours is None:
        yield (), "contract:criterion-incomplete", "What the twin measures needs a time", "Add `hours:`"
    if low is not None and high is not None and low > high:
        yield ("at_most",), "contract:criterion-bounds", "`at_most` lies below `at_least`", "Swap them"
    if criterion.availability is not None and not guaranteed:
        hint = "Add a guarantee, whose formula says what counts"
        yield ("availability",), "contract:criterion-incomplete", "Availability needs a formula", hint
