"""Service remaining_life: follows the use of a component and says, row by row, how much of its life is left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from servitwin.domain.error import Fault
from servitwin.domain.instant import HOUR
from servitwin.domain.model_book import model_key
from servitwin.domain.observation import Floats
from servitwin.domain.remaining_life.assigned import assigned_faults, read_assigned
from servitwin.domain.remaining_life.known import RECENT, Seen
from servitwin.domain.remaining_life.lives import held
from servitwin.domain.remaining_life.model import LifeModel, read_book
from servitwin.domain.remaining_life.predict import Prediction, predict
from servitwin.domain.remaining_life.use_rows import EndedLife, RowState, UseRows
from servitwin.sdk.service import Outcome, Parameters, ServiceBatch, TwinView

TRAINER = "remaining_life_training"


class Memory(msgspec.Struct):
    """What is kept between steps.

    Attributes:
        use: rows of the present life; crossed: whether the warning of this life has been sent.
        said: (rows of life, expected remaining life, model) of the one prediction a life is judged by when it ends.
        model: address of the artefact that was in use.
    """

    use: RowState = msgspec.field(default_factory=RowState)
    crossed: bool = False
    said: tuple[int, float, str] | None = None
    model: str = ""


def check(parameters: Parameters) -> Sequence[Fault]:
    """All faults of the parameters (:class:`servitwin.domain.remaining_life.assigned.Assigned`)."""
    return assigned_faults(parameters)


def open(view: TwinView, parameters: Parameters, snapshot: bytes | None) -> Evaluator:
    """An evaluator at its start or at a snapshot."""
    memory = msgspec.msgpack.decode(snapshot, type=Memory) if snapshot else Memory()
    return Evaluator(view, parameters, memory)


class Evaluator:
    """Counts use into rows; each row that is complete is predicted from."""

    def __init__(self, view: TwinView, parameters: Parameters, memory: Memory) -> None:
        self._assigned = read_assigned(parameters)
        self._type = view.type.name if view.type else ""
        self._units = self._assigned.units(view.type)
        self._memory = memory
        self._use = UseRows(self._assigned.spec(view.type), memory.use)
        learnt = view.artefacts.get(TRAINER)
        self._digest, self._model = "", None
        if learnt is not None:
            book = read_book(learnt.content)
            self._digest, self._model = learnt.digest, book.models.get(model_key(self._type, self._assigned.component))

    def step(self, batch: ServiceBatch, watermark: int) -> Outcome:
        """What became certain by the watermark: a prediction for each row completed, lives that ended."""
        outcome = Outcome()
        use = self._memory.use
        if self._digest != self._memory.model and use.count and use.at is not None:
            # Another model speaks at once, also of a machine that stands still.
            rows = use.array(len(self._use.spec.columns))
            outcome.results.append({"remaining_life": self._told(self._predicted(rows), use.at)})
        self._memory.model = self._digest
        for part in self._use.take(batch.observations):
            if part.ended is not None:
                outcome.results.append({"life_ended": self._ended(part.ended)})
                self._memory.crossed, self._memory.said = False, None
                continue
            said = self._predicted(part.rows)
            told = self._told(said, part.time)
            outcome.results.append({"remaining_life": told})
            outcome.results += self._crossed(said, told)
            hours = self._use.spec.every / HOUR
            outcome.usage["machine_hours"] = outcome.usage.get("machine_hours", 0.0) + hours
        return outcome

    def snapshot(self) -> bytes:
        """What the next step needs."""
        return msgspec.msgpack.encode(self._memory)

    def _predicted(self, rows: Floats) -> Prediction:
        model, assigned = self._model, self._assigned
        if model is None:
            message = f"No model of {assigned.component} of {self._type or 'a machine of unknown type'} is in use"
            doubt = Fault("life:no-model", message, "Train one from lives that ended, and promote it")
            return Prediction(False, "row", 0.0, len(rows), doubts=[doubt], what_to_do=_nothing(doubt))
        if (model.settings, model.signals) != (assigned.settings, assigned.signals):
            message = "The model in use was learnt from other signals than this machine is followed by"
            hint = f"Give settings {', '.join(model.settings) or 'none'} and signals {', '.join(model.signals)}"
            doubt = Fault("life:signals-differ", message, hint)
            return Prediction(False, model.life_unit, 0.0, len(rows), doubts=[doubt], what_to_do=_nothing(doubt))
        if not self._memory.use.begun and self._assigned.renewed:
            message = f"The beginning of this {assigned.component}'s life was not seen"
            doubt = Fault("life:beginning-not-seen", message, "It is known after the next renewal")
            return Prediction(
                False, model.life_unit, model.confidence, len(rows), doubts=[doubt], what_to_do=_nothing(doubt)
            )
        said = predict(model, self._seen(model, rows))
        if said.known and said.expected is not None and self._memory.said is None:
            middle = float(np.median(model.lives)) * 0.6 if model.lives else 0.0
            if len(rows) >= max(model.fewest_rows, middle):
                self._memory.said = len(rows), said.expected, self._digest
        return said

    def _seen(self, model: LifeModel, rows: Floats) -> Seen:
        k = len(model.settings)
        recent = [bool(np.isnan(column).all()) for column in rows[-RECENT:].T]
        missing = tuple(n for n, gone in zip((*model.settings, *model.signals), recent, strict=True) if gone)
        filled = np.nan_to_num(held(rows), nan=0.0)
        return Seen(filled[:, :k], filled[:, k:], self._type, self._units, missing)

    def _told(self, said: Prediction, time: int) -> dict[str, Any]:
        told = msgspec.to_builtins(said)
        use = self._memory.use
        place = {"component": self._assigned.component, "time": time, "life": use.life, "since": use.since}
        row_s = self._use.spec.every / 1e9
        return {**place, **_short(told), "row_s": row_s, "model": self._digest}

    def _crossed(self, said: Prediction, told: dict[str, Any]) -> list[dict[str, Any]]:
        warn = self._assigned.warn
        if warn is None or said.low is None or self._memory.crossed or said.low > warn:
            return []
        self._memory.crossed = True
        named = ("component", "time", "expected", "low", "high", "unit", "confidence", "what_to_do")
        return [{"remaining_life_crossed": {"warn": warn, **{n: told[n] for n in named}}}]

    def _ended(self, life: EndedLife) -> dict[str, Any]:
        told: dict[str, Any] = {
            "component": self._assigned.component, "from": life.since, "to": life.until, "rows": len(life.rows),
            "whole": life.begun, "every": self._assigned.every,
        }  # fmt: skip
        if life.begun:  # what others can learn from; null: not measured
            told["lived"] = [[None if np.isnan(v) else float(f"{v:.5g}") for v in row] for row in life.rows]
        if self._memory.said is not None and self._model is not None:
            rows, expected, model = self._memory.said
            true = min(float(len(life.rows) - rows), self._model.cap)
            chance = self._model.calibration.chance(expected, true)
            told |= {"said_at": rows, "expected": _short(expected), "true": true, "chance": chance, "model": model}
        return told


def _nothing(doubt: Fault) -> str:
    return f"Nothing is said of its remaining life: {doubt.hint[:1].lower()}{doubt.hint[1:]}."


def _short(value: Any) -> Any:
    """Numbers with the four digits that mean anything here."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {k: _short(v) for k, v in value.items()}
    return [_short(v) for v in value] if isinstance(value, list) else value
