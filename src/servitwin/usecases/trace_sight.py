"""Who may see which events of traced objects: rights follow the machine's ownership when it happened."""

from __future__ import annotations

from servitwin.domain.instant import EARLIEST, LATEST
from servitwin.domain.party import Actor
from servitwin.usecases.authorise import Authoriser
from servitwin.usecases.registry import Registry

# As the policy "own-read" has them: machines and plugins write, they do not read.
_READERS = frozenset(
    {
        "viewer", "operator", "production_manager", "maintenance", "procurement", "technician", "service_manager",
        "sales", "engineer", "trainer", "analyst", "administrator",
    }
)  # fmt: skip


class TraceSight:
    """What one caller may see, for the length of one question."""

    def __init__(self, authoriser: Authoriser, registry: Registry, actor: Actor) -> None:
        self._authoriser, self._registry, self._actor = authoriser, registry, actor
        self._reads = bool(_READERS & set(actor.roles))
        self._all = self._reads and actor.party == ""
        self._spans: dict[str, tuple[tuple[int, int], ...]] = {}

    @property
    def everything(self) -> bool:
        """Whether the caller is the node itself."""
        return self._all

    @property
    def party(self) -> str | None:
        """Whose events without a machine are seen; None: everybody's."""
        return None if self.everything else self._actor.party if self._reads else "\x00"

    def sees(self, twin: str, party: str, at: int) -> bool:
        """Whether an event on that machine (uid, empty: none), kept by that party, may be seen."""
        if self._all:
            return True
        if not twin:
            return self._reads and party == self._actor.party
        spans = self._spans.get(twin) or self.spans(twin)
        if len(spans) == 1:
            return spans[0][0] <= at < spans[0][1]
        return any(start <= at < end for start, end in spans)

    def spans(self, twin: str) -> tuple[tuple[int, int], ...]:
        """Stretches [from, to) of a machine that may be seen."""
        known = self._spans.get(twin)
        if known is None:
            one = self._registry.by_uid(twin)
            found = [] if one is None else self._authoriser.spans(self._actor, one, "", EARLIEST, LATEST)
            known = self._spans[twin] = tuple(found)
        return known

    def all_spans(self) -> dict[str, tuple[tuple[int, int], ...]]:
        """Of all machines of which something may be seen."""
        if self.everything:
            return {}
        known = self._authoriser.known(self._actor)
        return {uid: found for uid in sorted(known) if (found := self.spans(uid))}
