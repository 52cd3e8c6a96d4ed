"""Whose machines may teach: fleet learning uses only what the users of the machines have agreed to.

EU Data Act (Regulation 2023/2854) Art. 4(13): the maker uses non-personal data of a connected product only on the basis
of a contract with its user. Here that contract is a grant of the purpose "fleet learning" on the machine, or on what it
is part of. A party's own machines may teach its own models.
"""

from __future__ import annotations

import msgspec

from servitwin.domain.twin import Twin, value_at
from servitwin.usecases.ports import Records
from servitwin.usecases.registry import Registry

PURPOSE = "fleet learning"


class Teacher(msgspec.Struct, frozen=True):
    """A machine, and whether its lives may teach a party's models; ``why`` in a sentence."""

    twin: str
    uid: str
    owner: str
    permitted: bool
    why: str


class LifeTeachers:
    """Decides by the grants that hold now."""

    def __init__(self, records: Records, registry: Registry) -> None:
        self._records, self._registry = records, registry

    def of(self, party: str, twins: list[Twin], now: int, operator: str) -> list[Teacher]:
        """What each machine may do for that party; machines that it does not know of are left out.

        The operator of the node knows all; others know their own and what they have a grant on.
        """
        held = [g for g in self._records.grants(now) if g.grantee == party]
        grants = [g for g in held if g.purpose == PURPOSE]
        found = []
        for twin in twins:
            owner = twin.owner_at(now) or operator
            names = self._names(twin, now)
            if owner == party:
                found.append(Teacher(twin.id, twin.uid, owner, True, "It is the party's own"))
                continue
            grant = next((g for g in grants if g.grantor == owner and g.twin in names), None)
            if grant is not None:
                found.append(Teacher(twin.id, twin.uid, owner, True, f"{owner} has granted it ({grant.id})"))
            elif party == operator or any(g.grantor == owner and g.twin in names for g in held):
                why = (
                    f"Not permitted: {owner} uses this machine and has not agreed that its data teach models of "
                    f"{party} (EU Data Act Art. 4(13))"
                )
                found.append(Teacher(twin.id, twin.uid, owner, False, why))
        return found

    def _names(self, twin: Twin, now: int) -> set[str]:
        """Ids and uids of the twin and of all that it is part of."""
        names: set[str] = set()
        here: Twin | None = twin
        while here is not None and here.uid not in names:
            names |= {here.id, here.uid}
            parent = value_at(here.parent, now)
            here = self._registry.by_id(parent) if parent else None
        return names
