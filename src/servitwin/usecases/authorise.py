"""Who may do what: decisions by Cedar, default deny; lists by an index that tests prove equal to Cedar."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib import resources
from typing import Any, Literal, Protocol

import cedarpy

from servitwin.domain.contract import Contract
from servitwin.domain.error import Fault, NotFoundError, RefusedError
from servitwin.domain.party import Actor
from servitwin.domain.twin import Twin
from servitwin.usecases.authorise_index import AccessIndex, GrantSource, Tenure

Action = Literal["read", "command", "configure", "report", "treat"]
NodeAction = Literal["watch", "run", "simulate"]
PartyAction = Literal["administer", "plan", "see_plan", "answer_plan"]


class Directory(Protocol):
    """The twins of the node as the registry holds them; ``revision`` changes when one of them does."""

    @property
    def revision(self) -> int:
        """Revision of the records that is held."""
        ...

    def twins(self, *, retired: bool = False, simulated: bool = False) -> Sequence[Twin]:
        """Every twin; retired ones and simulated ones if asked for."""
        ...


def policies() -> cedarpy.PolicySet:
    """The policies shipped with this package, parsed."""
    return cedarpy.PolicySet.from_str(resources.files(__package__).joinpath("access.cedar").read_text("utf-8"))


class Authoriser:
    """Decides for one node.

    ``operator`` names the party that operates the node: it owns twins without an owner, and its administrators
    administer the node. The party "" is the node itself.
    """

    def __init__(
        self,
        directory: Directory,
        grants: GrantSource,
        operator: Callable[[], str],
        now: Callable[[], int],
    ) -> None:
        self._directory = directory
        self._grants = grants
        self._operator = operator
        self._now = now
        self._policies = policies()
        self._index: AccessIndex | None = None
        self._entities: cedarpy.Entities | None = None
        self._decided: dict[tuple[object, ...], bool] = {}
        self._seen: dict[tuple[object, ...], frozenset[str]] = {}

    def forget(self) -> None:
        """Read grants and twins again: somebody changed them."""
        self._index = None

    # decisions -----------------------------------------------------------------------------------------------
    def may(self, actor: Actor, action: Action, twin: Twin, at: int | None = None, signal: str = "") -> bool:
        """Whether Cedar permits it on what ``twin`` was at that instant (default: now)."""
        index = self.index()
        tenure = index.tenure_at(twin.uid, self._now() if at is None else at)
        return tenure is not None and self._decide(actor, action, tenure, signal)

    def may_on_node(self, actor: Actor, action: NodeAction) -> bool:
        """Whether the actor may watch or run the node itself, or break machines in its simulator."""
        key = (actor, action)
        self.index()
        if key not in self._decided:
            self._decided[key] = self._ask(actor, action, {"type": "Node", "id": "node"}, [])
        return self._decided[key]

    def may_administer(self, actor: Actor, party: str) -> bool:
        """Whether the actor may manage accounts, tokens, credentials and grants of that party."""
        return self.may_for_party(actor, "administer", party)

    def may_for_party(self, actor: Actor, action: PartyAction, party: str) -> bool:
        """Whether the actor may do that with what belongs to a party; ``plan``: write registers and have plans made."""
        key = (actor, action, party)
        index = self.index()
        if key not in self._decided:
            extra = [] if index.knows_party(party) else [self._party(party, index)]
            if actor.party == party:
                extra = []
            self._decided[key] = self._ask(actor, action, {"type": "Party", "id": party}, extra)
        return self._decided[key]

    def require(self, actor: Actor, action: Action, twin: Twin, at: int | None = None) -> None:
        """Refuse unless permitted; a twin the actor may not know does not exist for it.

        Raises:
            NotFoundError: ``twin:unknown``.
            RefusedError: ``access:not-permitted``.
        """
        if self.may(actor, action, twin, at):
            return
        if not self.knows(actor, twin):
            raise unknown_twin(twin.id)
        raise not_permitted(action, twin.id)

    def require_on_node(self, actor: Actor, action: NodeAction) -> None:
        """Refuse with ``access:not-permitted`` unless permitted on the node."""
        if not self.may_on_node(actor, action):
            raise not_permitted(action, "this node")

    def require_administer(self, actor: Actor, party: str) -> None:
        """Refuse with ``access:not-permitted`` unless the actor administers that party."""
        if not self.may_administer(actor, party):
            raise not_permitted("administer", f"party {party}")

    def require_for_party(self, actor: Actor, action: PartyAction, party: str) -> None:
        """Refuse with ``access:not-permitted`` unless the actor may do that with what belongs to the party."""
        if not self.may_for_party(actor, action, party):
            raise not_permitted(action.replace("_", " "), f"for party {party[:80]!r}")

    def may_on_contract(self, actor: Actor, action: str, contract: Contract) -> bool:
        """Whether Cedar permits ``read_contract``, ``agree``, ``claim`` or ``settle`` under that contract."""
        key = (actor, action, contract.provider, contract.customer)
        index = self.index()
        if key not in self._decided:
            uid = {"type": "Contract", "id": f"{contract.provider}|{contract.customer}"}
            sides = {
                "provider": {"__entity": {"type": "Party", "id": contract.provider}},
                "customer": {"__entity": {"type": "Party", "id": contract.customer}},
            }
            parties = {contract.provider, contract.customer} - {actor.party}
            extra = [self._party(p, index) for p in sorted(parties) if not index.knows_party(p)]
            entity = {"uid": uid, "attrs": sides, "parents": []}
            self._decided[key] = self._ask(actor, action, uid, [*extra, entity])
        return self._decided[key]

    def operator(self) -> str:
        """The party that operates this node."""
        return self._operator()

    # what may be known ---------------------------------------------------------------------------------------
    def known(self, actor: Actor) -> frozenset[str]:
        """Uids of all twins that the actor may know of: lists, streams and queries show no others."""
        index = self.index()
        key = (actor.party, actor.roles)
        if key not in self._seen:
            self._seen[key] = frozenset(u for u in index.uids if index.knows(actor, u))
        return self._seen[key]

    def readable(self, actor: Actor) -> frozenset[str]:
        """Uids of the twins that the actor may read whole, now."""
        index = self.index()
        now = self._now()
        key = (actor.party, actor.roles, "read")
        if key not in self._seen:
            self._seen[key] = frozenset(
                u for u in index.uids if (t := index.tenure_at(u, now)) and index.permits(actor, "read", t)
            )
        return self._seen[key]

    def knows(self, actor: Actor, twin: Twin) -> bool:
        """Whether the twin exists for the actor."""
        return twin.uid in self.known(actor)

    def signals(self, actor: Actor, twin: Twin, at: int | None = None) -> Callable[[str], bool]:
        """Test for names of signals that the actor may read at that instant."""
        index = self.index()
        tenure = index.tenure_at(twin.uid, self._now() if at is None else at)
        if tenure is None:
            return lambda _: False
        if index.permits(actor, "read", tenure):
            return lambda _: True
        return lambda name: index.permits(actor, "read", tenure, name)

    def spans(self, actor: Actor, twin: Twin, signal: str, start: int, end: int) -> list[tuple[int, int]]:
        """The parts of [start, end) that the actor may read of one signal ("": of the twin whole), in order."""
        out: list[tuple[int, int]] = []
        for tenure in self.index().tenures(twin.uid):
            lo, hi = max(start, tenure.start), min(end, tenure.end)
            if lo < hi and self._decide(actor, "read", tenure, signal):
                if out and out[-1][1] == lo:
                    out[-1] = (out[-1][0], hi)
                else:
                    out.append((lo, hi))
        return out

    # inside --------------------------------------------------------------------------------------------------
    def index(self) -> AccessIndex:
        """The index of the present revision of twins and grants."""
        index = self._index
        now = self._now()
        if index is None or index.revision != self._directory.revision or not index.valid_from <= now < index.valid_to:
            index = self._index = AccessIndex.build(
                self._directory.twins(retired=True, simulated=True),
                self._grants.grants(now),
                self._operator(),
                now,
                self._directory.revision,
            )
            self._entities = None
            self._decided.clear()
            self._seen.clear()
        return index

    def _decide(self, actor: Actor, action: str, tenure: Tenure, signal: str) -> bool:
        key = (actor, action, tenure.owner, tenure.chain, signal)
        known = self._decided.get(key)
        if known is None:
            if len(self._decided) > 200_000:
                self._decided.clear()
            resource, extra = self._resource(tenure, signal)
            known = self._decided[key] = self._ask(actor, action, resource, extra)
        return known

    def _resource(self, tenure: Tenure, signal: str) -> tuple[dict[str, str], list[dict[str, Any]]]:
        index = self.index()
        owner = {"__entity": {"type": "Party", "id": tenure.owner}}
        asset = {"type": "Asset", "id": f"{tenure.chain[0]}|{tenure.owner}"}
        entities: list[dict[str, Any]] = [
            {
                "uid": asset,
                "attrs": {"owner": owner},
                "parents": [{"type": "Scope", "id": f"{t}|{tenure.owner}"} for t in tenure.chain],
            }
        ]
        if not signal:
            return asset, entities
        uid = {"type": "Signal", "id": f"{tenure.chain[0]}|{tenure.owner}|{signal}"}
        groups = [{"type": "Group", "id": g} for g in index.groups_of(tenure, signal)]
        entities.append({"uid": uid, "attrs": {"owner": owner}, "parents": [asset, *groups]})
        return uid, entities

    def _party(self, party: str, index: AccessIndex) -> dict[str, Any]:
        def scopes(action: str) -> list[dict[str, Any]]:
            return [
                {"__entity": {"type": "Scope", "id": f"{twin}|{owner}"}} for twin, owner in index.scopes(party, action)
            ]

        return {
            "uid": {"type": "Party", "id": party},
            "attrs": {
                "reads": scopes("read"),
                "commands": scopes("command"),
                "configures": scopes("configure"),
                "groups": [{"__entity": {"type": "Group", "id": g}} for g in index.groups(party)],
                "resident": index.is_resident(party),
            },
            "parents": [],
        }

    def _ask(self, actor: Actor, action: str, resource: dict[str, str], extra: list[dict[str, Any]]) -> bool:
        index = self.index()
        if self._entities is None:
            base = [self._party(p, index) for p in index.parties]
            self._entities = cedarpy.Entities.from_json_str(json.dumps(base))
        principal = {"type": "Actor", "id": f"{actor.kind}:{actor.id}"}
        delta = [
            {
                "uid": principal,
                "attrs": {
                    "party": {"__entity": {"type": "Party", "id": actor.party}},
                    "roles": list(actor.roles),
                    "node": actor.party == "",
                    "house": index.is_house(actor.party),
                },
                "parents": [],
            },
            *extra,
        ]
        if not index.knows_party(actor.party):
            delta.append(self._party(actor.party, index))
        entities = self._entities.with_added_json_str(json.dumps(delta))
        request = {"principal": principal, "action": {"type": "Action", "id": action}, "resource": resource}
        return bool(cedarpy.is_authorized(request, self._policies, entities).allowed)


def unknown_twin(id: str) -> NotFoundError:
    """The twin does not exist, or the caller may not know that it does: the same answer."""
    return NotFoundError(
        Fault("twin:unknown", f"There is no twin {id[:80]!r}", "GET /api/v1/twins lists the twins you may see", "id")
    )


def not_permitted(action: str, what: str) -> RefusedError:
    """The caller is known and may not do this."""
    return RefusedError(
        Fault("access:not-permitted", f"You may not {action} {what}", "Ask the owner's administrator for a grant")
    )
