"""A learnt model of remaining life: what it was learnt from, how good it is, and what it says of machines."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.model_book import ModelBook
from servitwin.domain.observation import Floats, Int64s
from servitwin.domain.remaining_life.acting import Acting
from servitwin.domain.remaining_life.features import features
from servitwin.domain.remaining_life.forest import Forest
from servitwin.domain.remaining_life.intervals import Calibration
from servitwin.domain.remaining_life.measure import Quality
from servitwin.domain.remaining_life.network import Network
from servitwin.domain.remaining_life.regimes import Regimes

FORMAT = 2


class Member(msgspec.Struct, frozen=True):
    """One part of the ensemble, with its weight."""

    weight: float
    forest: Forest | None = None
    network: Network | None = None

    def predict(self, rows: Floats) -> Floats:
        """What this part says of rows of features."""
        part = self.forest or self.network
        assert part is not None  # a member has one of them
        return part.predict(rows)


class TrainedOn(msgspec.Struct, frozen=True):
    """What a model was learnt from.

    Attributes:
        digest: of the whole set, ``sha256:...``.
        machines, failures: how many lives, and how many of them ended; owners: machines of each party.
        kept_out: machines that were only judged by; left_out: what could not be used, and why.
    """

    digest: str
    machines: int
    failures: int
    owners: dict[str, int]
    kept_out: list[str]
    left_out: list[Fault]


class LifeModel(msgspec.Struct, frozen=True):
    """The artefact: plain data, read without the libraries that made it.

    Attributes:
        machine_type, component, life_unit, settings, signals, units, cap, confidence: as in the set learnt from.
        regimes: operating regimes; members: the ensemble, whose weighted mean is the prediction.
        calibration: predictions for machines each member group had not seen, and what was true.
        usual: features of a machine with its life still before it (mean over rows at the cap), for the reasons.
        direction: which way each used signal goes towards the end of life (+1 up, -1 down, 0 neither).
        shares: edges of tenths of each used signal's recent mean at the moments judged, (used, 9), for drift.
        longest_still: rows that each signal stood still at most; fewest_rows: life seen below which nothing is said.
        quality: on machines kept out, and ``simple``: of the mean remaining life by age, on the same machines.
        incumbent: of the model in use before, on the same machines.
        fleet: what the fleet taught each party with failures enough: root mean square error on its own machines of
            this model and of one learnt from its machines alone.
        lives: length of the lives that ended, for those who plan by age.
        acting: what acting on the predictions costs, where costs were given.
    """

    machine_type: str
    component: str
    life_unit: str
    settings: list[str]
    signals: list[str]
    units: dict[str, str]
    cap: float
    confidence: float
    regimes: Regimes
    members: list[Member]
    calibration: Calibration
    usual: list[float]
    direction: list[int]
    shares: list[list[float]]
    longest_still: list[int]
    fewest_rows: int
    trained_on: TrainedOn
    quality: Quality
    simple: Quality
    incumbent: Quality | None = None
    fleet: dict[str, tuple[float, float]] = {}
    lives: list[float] = []
    acting: Acting | None = None

    def predict(self, rows: Floats) -> Floats:
        """Remaining life for each row of features, within 0 and the cap."""
        whole = sum(m.weight for m in self.members)
        total = np.zeros(len(rows))
        for member in self.members:
            total += member.weight / whole * np.clip(member.predict(rows), 0, self.cap)
        return total

    def features_of(self, settings: Floats, signals: Floats, start: Int64s, only: Int64s | None = None) -> Floats:
        """Features of every row (or ``only`` some) of machines that follow one another."""
        regime, _ = self.regimes.of(settings)
        return features(self.regimes.normal(signals, regime), start, only)

    @property
    def watched(self) -> list[str]:
        """The signals that it uses, as in ``shares``."""
        return [self.signals[k] for k in self.regimes.used]

    def told(self) -> dict[str, Any]:
        """What it was learnt from and how good it is, as plain data."""
        on = self.trained_on
        return {
            "machine_type": self.machine_type,
            "component": self.component,
            "life_unit": self.life_unit,
            "confidence": self.confidence,
            "cap": self.cap,
            "signals": self.signals,
            "regimes": len(self.regimes.centres),
            "dataset": on.digest,
            "machines": on.machines,
            "failures": on.failures,
            "owners": on.owners,
            "kept_out": len(on.kept_out),
            "left_out": msgspec.to_builtins(on.left_out),
            "quality": msgspec.to_builtins(self.quality),
            "simple": msgspec.to_builtins(self.simple),
            "fleet": {party: list(pair) for party, pair in self.fleet.items()},
            "acting": msgspec.to_builtins(self.acting),
        }


LifeBook = ModelBook[LifeModel, Quality]  # a model for each component of a machine type, by ``model_key``


def read_book(artefact: bytes) -> LifeBook:
    """The models in an artefact.

    Raises:
        InvalidInputError: ``life:not-a-model``, ``life:model-format``.
    """
    try:
        book = msgspec.msgpack.decode(artefact, type=LifeBook)
    except msgspec.MsgspecError as e:
        hint = "Give an artefact that remaining_life_training made"
        raise InvalidInputError(Fault("life:not-a-model", f"These are no models of remaining life: {e}", hint)) from e
    if book.format != FORMAT:
        message = f"The models have format {book.format}, this version reads {FORMAT}"
        raise InvalidInputError(Fault("life:model-format", message, "Train them again"))
    return book


def write_book(book: LifeBook) -> bytes:
    """The artefact; the same models give the same bytes."""
    return msgspec.msgpack.encode(book)
