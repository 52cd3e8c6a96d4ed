"""Service remaining_life_training: learns from lives that ended how much of others is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.model_book import book_of_text, model_key, taken_in
from servitwin.domain.remaining_life.lives import read_lives
from servitwin.domain.remaining_life.measure import Quality
from servitwin.domain.remaining_life.model import FORMAT, LifeBook, LifeModel, read_book, write_book


def check(dataset: Mapping[str, Any]) -> Sequence[Fault]:
    """All faults of a set of lives (:class:`servitwin.domain.remaining_life.lives.LifeSet`)."""
    try:
        _incumbent(read_lives(dataset).about.incumbent)
    except InvalidInputError as e:
        return e.faults
    return []


def fit(dataset: Mapping[str, Any], seed: int) -> bytes:
    """The models in use, with the one learnt from this set where it is better than the one it would replace."""
    from servitwin.services.maintenance.remaining_life_training.learn import learn  # noqa: PLC0415

    lives = read_lives(dataset)
    book = _incumbent(lives.about.incumbent)
    key = model_key(lives.about.machine_type, lives.about.component)
    model = learn(lives, seed, book.models.get(key) if book is not None else None)
    return write_book(taken_in(lives.about.incumbent, book, key, model, verdict(model), model.quality, FORMAT))


def describe(artefact: bytes) -> dict[str, Any]:
    """The models with what they were learnt from and how good they are; ``score`` grows when one became better."""
    return read_book(artefact).told(LifeModel.told)


def verdict(model: LifeModel) -> tuple[bool, str]:
    """Whether a model may be used, and why: by what it did on machines kept out, against the one in use."""
    mine, unit = model.quality, model.life_unit
    if mine.rmse >= model.simple.rmse:
        return False, f"It errs by {mine.rmse:.3g} {unit}, the age alone by {model.simple.rmse:.3g}: nothing was learnt"
    if model.incumbent is None:
        return True, f"It errs by {mine.rmse:.3g} {unit}, the age alone by {model.simple.rmse:.3g}"
    theirs = model.incumbent
    told = f"{mine.rmse:.3g} {unit} against {theirs.rmse:.3g} of the one in use, on {mine.machines} machines kept out"
    if mine.rmse >= theirs.rmse:
        return False, f"It is no better: {told}"
    if _off(mine, model) > max(0.05, _off(theirs, model) + 0.02):
        return (
            False,
            f"Its intervals hold less well ({100 * mine.coverage:.0f} % against {100 * theirs.coverage:.0f} %): {told}",
        )
    return True, f"It is better: {told}"


def _off(quality: Quality, model: LifeModel) -> float:
    return abs(quality.coverage - model.confidence)


def _incumbent(text: str) -> LifeBook | None:
    return book_of_text(text, read_book, "life:not-a-model")
