"""Controllers that a node keeps, and the checks of them that were asked for."""

from __future__ import annotations

from typing import Literal

import msgspec

from servitwin.domain.error import Fault

CheckState = Literal["waiting", "running", "done", "failed"]


class KeptController(msgspec.Struct, frozen=True):
    """A version of a controller as it was brought in; it never changes.

    Attributes:
        file: address of its texts among the node's files.
        machine_type: name of the type whose machines have it; empty where it belongs to one twin.
        twin: uid of the twin that has it; empty where it belongs to a type.
        properties: how many it has.
        at: when it was brought in (ns UTC), ``by`` whom.
    """

    name: str
    version: int
    title: str
    file: str
    machine_type: str
    twin: str
    properties: int
    at: int
    by: str

    @property
    def reference(self) -> str:
        """``name@version``."""
        return f"{self.name}@{self.version}"


class ControllerCheck(msgspec.Struct, frozen=True):
    """A check of a version: what was asked, and where it stands.

    Attributes:
        against: an older version that is asked the same; None: no comparison.
        depth: steps to search where there is no proof.
        seconds: time for each version.
        twin: uid of the machine whose observations in [start, end) the model is compared with; empty: none.
        at: when it was asked (ns UTC), ``by`` whom.
        began: when the work began, ``ended`` when it was done (ns UTC).
        result: address of what was found among the node's files; empty before.
        proven: properties by their answer, as are ``violated`` and ``not_settled``.
        obligations: address of the texts for another solver (a ZIP archive); empty where there are none.
        fault: why there is no result.
    """

    id: str
    name: str
    version: int
    depth: int
    seconds: float
    at: int
    by: str
    against: int | None = None
    twin: str = ""
    start: int = 0
    end: int = 0
    state: CheckState = "waiting"
    began: int | None = None
    ended: int | None = None
    result: str = ""
    proven: int = 0
    violated: int = 0
    not_settled: int = 0
    obligations: str = ""
    fault: Fault | None = None
