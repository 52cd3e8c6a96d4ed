"""Service failure_horizon: learns from events and daily means which component fails within the coming days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.failure_events import read_events, usable_machines
from servitwin.domain.failure_horizon import FORMAT, HorizonBook, HorizonModel, read_horizon_book
from servitwin.domain.model_book import FEWEST_FRESH, book_of_text, taken_in
from servitwin.services.maintenance.failure_horizon.learn import learn

ABOVE_CHANCE = 1.5  # times what guessing reaches, below which nothing was learnt


def check(dataset: Mapping[str, Any]) -> Sequence[Fault]:
    """All faults of a set of events (:class:`servitwin.domain.failure_events.EventSet`)."""
    try:
        events = read_events(dataset)
        _incumbent(events.incumbent)
        usable_machines(events)
    except InvalidInputError as e:
        return e.faults
    return []


def fit(dataset: Mapping[str, Any], seed: int) -> bytes:
    """The models in use, with the one learnt from this set where it is better than the one it would replace."""
    events = read_events(dataset)
    book = _incumbent(events.incumbent)
    key = events.machine_type
    model = learn(events, seed, book.models.get(key) if book is not None else None)
    return msgspec.msgpack.encode(taken_in(events.incumbent, book, key, model, verdict(model), model.judgement, FORMAT))


def describe(artefact: bytes) -> dict[str, Any]:
    """The models with what they were learnt from and how good they are; ``score`` grows when one became better."""
    return read_horizon_book(artefact).told(HorizonModel.told)


def verdict(model: HorizonModel) -> tuple[bool, str]:
    """Whether a model may be used, and why: by machines it had not seen, and against the one in use by fresh days."""
    mine = model.judgement
    if mine.score <= ABOVE_CHANCE * mine.chance:
        return False, f"Its alarms reach {mine.score:.2f}, guessing {mine.chance:.2f}: nothing was learnt"
    if mine.lost:
        return False, f"It would tell nothing of {', '.join(mine.lost)}, of which the one in use does: that one stays"
    if mine.fresh is None or mine.incumbent is None:
        return True, f"Its alarms reach {mine.score:.2f} (precision over recall), guessing {mine.chance:.2f}"
    told = f"{mine.fresh:.2f} against {mine.incumbent:.2f} of the one in use, by {mine.fresh_failures} fresh failures"
    if mine.fresh_failures < FEWEST_FRESH:
        return False, f"Only {mine.fresh_failures} failures came that the one in use has not learnt from: it stays"
    if mine.fresh <= mine.incumbent:
        return False, f"It is no better: {told}"
    return True, f"It is better: {told}"


def _incumbent(text: str) -> HorizonBook | None:
    return book_of_text(text, read_horizon_book, "horizon:not-a-model")
