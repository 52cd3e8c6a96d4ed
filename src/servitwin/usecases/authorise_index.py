"""The grants index: the same rules as ``access.cedar`` as set look-ups, for lists of thousands of twins.

A property test compares every answer with Cedar's; change both together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Protocol

from servitwin.domain.instant import NS
from servitwin.domain.party import Actor, Grant
from servitwin.domain.twin import Twin, value_at

PEOPLE = frozenset(
    {
        "viewer", "operator", "production_manager", "maintenance", "procurement", "technician", "service_manager",
        "sales", "engineer", "trainer", "analyst", "administrator",
    }
)  # fmt: skip
ROLES_OF: dict[str, frozenset[str]] = {
    "read": PEOPLE,
    "command": frozenset(
        {"operator", "production_manager", "maintenance", "technician", "engineer", "administrator"},
    ),
    "configure": frozenset({"engineer", "administrator"}),
    "treat": frozenset(
        {"operator", "production_manager", "maintenance", "technician", "service_manager", "engineer", "administrator"},
    ),
    "report": frozenset({"machine", "plugin", "engineer", "administrator"}),
}
_EARLY, _LATE = -(2**63), 2**63 - 1
_MAX_AGE = 30 * NS  # a grant dated into the future is found by reading again


class GrantSource(Protocol):
    """Where grants come from (records)."""

    def grants(self, at: int) -> list[Grant]:
        """Grants that hold at that instant."""
        ...


@dataclass(frozen=True, slots=True)
class Tenure:
    """A stretch [start, end) in which a twin had one owner and one chain of parents (itself first, by uid)."""

    start: int
    end: int
    owner: str
    chain: tuple[str, ...]


def tenures(twin: Twin, by_id: dict[str, Twin], operator: str) -> list[Tenure]:
    """The tenures of a twin, in order, covering all time."""
    cuts = {_EARLY, _LATE}
    todo, met = [twin], {twin.uid}
    while todo:
        t = todo.pop()
        for dated in (*(t.owner if t is twin else ()), *t.parent):
            cuts.add(dated.start)
            if dated.end is not None:
                cuts.add(dated.end)
        for dated in t.parent:
            parent = by_id.get(dated.value)
            if parent is not None and parent.uid not in met:
                met.add(parent.uid)
                todo.append(parent)
    edges = sorted(cuts)
    out: list[Tenure] = []
    for start, end in pairwise(edges):
        owner = _owner(twin, start, operator)
        chain = _chain(twin, start, by_id)
        if out and out[-1].owner == owner and out[-1].chain == chain:
            out[-1] = Tenure(out[-1].start, end, owner, chain)
        else:
            out.append(Tenure(start, end, owner, chain))
    return out


def _owner(twin: Twin, at: int, operator: str) -> str:
    first = min(twin.owner, key=lambda d: d.start, default=None)
    if first is not None and at < first.start:
        return first.value  # data from before the first date belong to the first owner
    return value_at(twin.owner, at) or operator


def _chain(twin: Twin, at: int, by_id: dict[str, Twin]) -> tuple[str, ...]:
    chain = [twin.uid]
    here = twin
    while True:
        first = min(here.parent, key=lambda d: d.start, default=None)
        parent_id = value_at(here.parent, at) or (first.value if first and at < first.start else None)
        parent = by_id.get(parent_id) if parent_id else None
        if parent is None or parent.uid in chain:  # a cycle is refused when a plant is saved; never loop here
            return tuple(chain)
        chain.append(parent.uid)
        here = parent


@dataclass(slots=True)
class AccessIndex:
    """Grants by grantee, valid in [valid_from, valid_to) of the clock: after that a grant may begin or end."""

    revision: int
    operator: str
    valid_from: int
    valid_to: int
    uids: tuple[str, ...]
    parties: tuple[str, ...]
    _tenures: dict[str, list[Tenure]]
    _scopes: dict[tuple[str, str], set[tuple[str, str]]] = field(default_factory=dict)
    _signal_grants: list[tuple[str, Grant, str]] = field(default_factory=list)  # group id, grant, twin uid
    _residents: set[str] = field(default_factory=set)

    @classmethod
    def build(
        cls, twins: Iterable[Twin], grants: Sequence[Grant], operator: str, now: int, revision: int
    ) -> AccessIndex:
        """An index of everything that holds now."""
        all_twins = list(twins)
        by_id = {t.id: t for t in all_twins}
        by_uid = {t.uid: t for t in all_twins}
        edges = [
            e for g in grants for e in (g.period.start, g.period.end if g.period.end is not None else _LATE) if e > now
        ]
        tenure_of = {t.uid: tenures(t, by_id, operator) for t in all_twins}
        edges += [x.end for ts in tenure_of.values() for x in ts if now < x.end < _LATE]
        scopes: dict[tuple[str, str], set[tuple[str, str]]] = {}
        signal_grants: list[tuple[str, Grant, str]] = []
        parties = {operator, ""}
        residents = set()
        for ts in tenure_of.values():
            for x in ts:
                parties.add(x.owner)
                if x.start <= now < x.end:
                    residents.add(x.owner)
        for g in grants:
            parties |= {g.grantor, g.grantee}
            twin = by_id.get(g.twin) or by_uid.get(g.twin)
            if twin is None or not g.period.holds(now):
                continue
            if g.signals:
                if g.action == "read":
                    signal_grants.append((g.id, g, twin.uid))
            else:
                scopes.setdefault((g.grantee, g.action), set()).add((twin.uid, g.grantor))
        return cls(
            revision=revision,
            operator=operator,
            valid_from=now,
            valid_to=min([now + _MAX_AGE, *edges]),
            uids=tuple(t.uid for t in all_twins),
            parties=tuple(sorted(parties)),
            _tenures=tenure_of,
            _scopes=scopes,
            _signal_grants=signal_grants,
            _residents=residents,
        )

    # facts ---------------------------------------------------------------------------------------------------
    def tenures(self, uid: str) -> list[Tenure]:
        """All tenures of a twin, in order."""
        return self._tenures.get(uid, [])

    def tenure_at(self, uid: str, at: int) -> Tenure | None:
        """The tenure that holds at that instant; None for a twin that does not exist."""
        return next((t for t in self._tenures.get(uid, ()) if t.start <= at < t.end), None)

    def is_house(self, party: str) -> bool:
        """Whether the party is the node itself or operates it."""
        return party in ("", self.operator)

    def is_resident(self, party: str) -> bool:
        """Whether the party owns a twin here now."""
        return party in self._residents

    def knows_party(self, party: str) -> bool:
        """Whether the party is among the entities of this index."""
        return party in self.parties

    def scopes(self, party: str, action: str) -> list[tuple[str, str]]:
        """(twin uid, grantor) of each whole grant of that action to that party."""
        return sorted(self._scopes.get((party, action), ()))

    def groups(self, party: str) -> list[str]:
        """Ids of the grants on signal groups to that party."""
        return [group for group, grant, _ in self._signal_grants if grant.grantee == party]

    def groups_of(self, tenure: Tenure, signal: str) -> list[str]:
        """Ids of the grants whose patterns name that signal of that twin, given by its owner of the time."""
        return [
            group
            for group, grant, uid in self._signal_grants
            if grant.grantor == tenure.owner and uid in tenure.chain and _matches(grant, signal)
        ]

    # the rules -----------------------------------------------------------------------------------------------
    def permits(self, actor: Actor, action: str, tenure: Tenure, signal: str = "") -> bool:
        """The same answer as Cedar gives for that actor, action and tenure."""
        roles = set(actor.roles)
        if self.is_house(actor.party) and "administrator" in roles:
            return True
        if not roles & ROLES_OF[action]:
            return False
        if actor.party in ("", tenure.owner):
            return True
        granted = self._scopes.get((actor.party, action), ())
        if any((uid, tenure.owner) in granted for uid in tenure.chain):
            return True
        return bool(
            signal
            and action == "read"
            and any(
                grant.grantee == actor.party
                and grant.grantor == tenure.owner
                and uid in tenure.chain
                and _matches(grant, signal)
                for _, grant, uid in self._signal_grants
            )
        )

    def knows(self, actor: Actor, uid: str) -> bool:
        """Whether the actor may know that the twin exists: it may do something with it, at some time of its life."""
        for tenure in self._tenures.get(uid, ()):
            if any(self.permits(actor, action, tenure) for action in ROLES_OF):
                return True
            if set(actor.roles) & PEOPLE and any(
                grant.grantee == actor.party and grant.grantor == tenure.owner and granted in tenure.chain
                for _, grant, granted in self._signal_grants
            ):
                return True
        return False


def _matches(grant: Grant, signal: str) -> bool:
    return any(fnmatchcase(signal, pattern) for pattern in grant.signals)
