"""Replays of counterexamples: a simulated machine that runs a controller's model with the inputs of a run."""

from __future__ import annotations

import msgspec

from servitwin.domain.error import Fault
from servitwin.domain.kept_controller import CheckState


class ControllerReplay(msgspec.Struct, frozen=True):
    """A replay: what was asked, where it stands, and what the recorded signals of the simulated machine say.

    Attributes:
        version: of the controller whose model the simulated machine runs.
        property: name of the property that is judged.
        inputs_of: version for which the run was found that gives the inputs.
        check: id of the check that found it.
        twin: uid of the simulated machine.
        pace: steps each second.
        positions: how many the run has.
        at: when it was asked (ns UTC), ``by`` whom.
        began: when the first position was shown (ns UTC); ``ended``: when the judgement was there.
        last: when the last position was shown (ns UTC).
        recorded: positions that history holds whole.
        broken_at: first recorded position that breaks the property; None: none does, or nothing was judged.
        same: every recorded position is that of the run; None where the run belongs to another version.
        fault: why there is no judgement.
    """

    id: str
    name: str
    version: int
    property: str
    inputs_of: int
    check: str
    twin: str
    pace: float
    positions: int
    at: int
    by: str
    state: CheckState = "waiting"
    began: int | None = None
    last: int | None = None
    ended: int | None = None
    recorded: int = 0
    broken_at: int | None = None
    same: bool | None = None
    fault: Fault | None = None
