"""Recompute another party's settlement from this node's own observations."""

from __future__ import annotations

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import parse_instant
from servitwin.domain.observation import Series
from servitwin.domain.party import Actor
from servitwin.domain.signal import SignalDefinition
from servitwin.formats.settlement_document import read_settlement
from servitwin.usecases.authorise import Authoriser
from servitwin.usecases.ports import HistoryReader, Records
from servitwin.usecases.registry import Registry
from servitwin.usecases.verify_settlement import Verified, verify_settlement


class RecomputeSettlement:
    """The customer's side: the same rule over its own copy of the data."""

    def __init__(self, history: HistoryReader, registry: Registry, records: Records, authoriser: Authoriser) -> None:
        self._history = history
        self._registry = registry
        self._records = records
        self._authoriser = authoriser

    def recompute(self, content: bytes, actor: Actor) -> Verified:
        """Whether this node's observations give the settlement that was sent, to the last cent.

        Raises:
            InvalidInputError: ``settlement:...`` if it cannot be read, ``settlement:machine-unknown`` if one of its
                machines is not on this node, or the actor may not read it.
        """
        document, inputs = read_settlement(content)
        own: dict[str, str] = {}
        for machine in inputs.machines:
            twin = self._registry.by_id(machine.twin)
            if twin is None or not self._authoriser.may(actor, "read", twin):
                raise InvalidInputError(
                    Fault(
                        "settlement:machine-unknown",
                        f"This node has no {machine.twin} that you may read",
                        "Register the twin under the same id and bring its observations in",
                        "machines",
                    )
                )
            own[machine.twin] = twin.uid

        def read(twin: str, _: str, definition: SignalDefinition) -> Series | None:
            named = document["observations"][twin][definition.name]
            pair = (own[twin], definition.name)
            return self._history.many_series([pair], parse_instant(named["first"]), inputs.end)[pair]

        return verify_settlement(content, read, self._records.party_keys())
