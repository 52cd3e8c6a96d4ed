"""The manifest of a plugin: ``manifest.toml`` beside ``plugin.py``."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

import msgspec

from servitwin.domain.error import Fault, InvalidInputError


class Limits(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a plugin process may use before it is stopped."""

    memory_mb: int = 512
    step_seconds: float = 30.0


class Manifest(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a plugin says about itself. Connectors use the first part only.

    Attributes:
        name: as registered, also the folder's name.
        kind: connector, evaluator, planner or trainer.
        stage: lifecycle stage in which a service is sold.
        benefits: who benefits; ``value``: how, in one sentence a customer understands.
        reads: semantic ids or signal names read; ``writes``: names of results.
        cadence: how often a live step is due (``10s``); ``lateness``: how late data may be to count in the same step.
        meters: what is counted for an invoice; ``journey``: blueprint steps in order.
        artefacts: trainers whose artefact in use an evaluator is given.
        stretch: most time of one step (``12h``), so that a long past is caught up with in pieces; empty: no limit.
        kept_ready: a planner whose first plan people wait for: on a node that uses it, a process with its code loaded
            waits for the next problem, which costs that process's memory.
        own_topics: a connector's protocol has MQTT topics of its own (:class:`servitwin.sdk.connector.OwnTopics`).
    """

    name: str
    version: str
    kind: Literal["connector", "evaluator", "planner", "trainer"]
    summary: str
    stage: Literal["", "selling", "operation", "maintenance"] = ""
    benefits: tuple[str, ...] = ()
    value: str = ""
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    cadence: str = "10s"
    lateness: str = "10s"
    meters: tuple[str, ...] = ()
    journey: tuple[str, ...] = ()
    artefacts: tuple[str, ...] = ()
    stretch: str = ""
    limits: Limits = Limits()
    own_topics: bool = False
    kept_ready: bool = False


def read_manifest(folder: Path) -> Manifest:
    """The manifest in a plugin's folder.

    Raises:
        InvalidInputError: ``manifest:unreadable`` with what is wrong.
    """
    path = folder / "manifest.toml"
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Manifest, strict=True)
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as e:
        raise InvalidInputError(
            Fault(
                "manifest:unreadable",
                f"{path}: {e}",
                "Compare it with a manifest that tools/new_plugin makes",
            )
        ) from e
