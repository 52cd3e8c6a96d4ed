"""Service remaining_life_training: learns from lives that ended how much of others is left."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.remaining_life.lives import read_lives
from servitwin.domain.remaining_life.measure import Quality
from servitwin.domain.remaining_life.model import LifeModel, ModelBook, model_key, read_book, write_book


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
    models = dict(book.models) if book is not None else {}
    key = model_key(lives.about.machine_type, lives.about.component)
    model = learn(lives, seed, models.get(key))
    better, why = verdict(model)
    if better:
        models[key] = model
    generation = (book.generation if book is not None else 0) + better
    return write_book(ModelBook(models, generation, key, better, why, model.quality))


def describe(artefact: bytes) -> dict[str, Any]:
    """The models with what they were learnt from and how good they are; ``score`` grows when one became better."""
    book = read_book(artefact)
    return {
        "score": book.generation,
        "last": book.last,
        "accepted": book.accepted,
        "verdict": book.verdict,
        "candidate": msgspec.to_builtins(book.candidate),
        "models": {key: model.told() for key, model in sorted(book.models.items())},
    }


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
        return False, f"Its intervals hold less well ({mine.coverage:.0%} against {theirs.coverage:.0%}): {told}"
    return True, f"It is better: {told}"


def _off(quality: Quality, model: LifeModel) -> float:
    return abs(quality.coverage - model.confidence)


def _incumbent(text: str) -> ModelBook | None:
    if not text:
        return None
    try:
        return read_book(base64.b64decode(text, validate=True))
    except binascii.Error as e:
        raise InvalidInputError(
            Fault("life:not-a-model", f"incumbent is no base64: {e}", "Leave it out, or give an artefact", "incumbent")
        ) from e
