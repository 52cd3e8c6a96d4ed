"""Rehearsals: a connector that simulates its machines can run one of them apart from the plant, at full speed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import msgspec

from servitwin.sdk.connector import Config


class Instruction(msgspec.Struct, frozen=True):
    """A command that the machine carries out at the beginning."""

    command: str
    parameters: dict[str, float | str | bool] = {}


class Rehearsed(msgspec.Struct):
    """What a machine showed: ``times`` in ns from the beginning, and for each signal as many values."""

    times: list[int]
    columns: dict[str, list[float | str | bool | None]]


@runtime_checkable
class RehearsalPlugin(Protocol):
    """Module of a connector that offers rehearsals beside ``check`` and ``connect``."""

    def rehearse(
        self,
        config: Config,
        twin: str,
        instructions: Sequence[Instruction],
        seconds: float,
        seed: int,
        every: float,
    ) -> Rehearsed | None:
        """Run a machine by itself (endless supply, nothing waits for it), and show its signals ``every`` seconds.

        The same seed gives the same chance, whatever the instructions. None: it knows no such machine.

        Raises:
            InvalidInputError: ``rehearsal:refused`` where the machine does not carry out an instruction.
        """
        ...
