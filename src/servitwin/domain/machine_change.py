"""Changes of a machine after which it is rightly no longer as it was: whoever has learnt it learns it anew."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

ChangeKind = Literal["repair", "type", "said"]


class MachineChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """A change at an instant.

    Attributes:
        at: from when on the machine is another one, ns UTC.
        kind: ``repair``: a repair was recorded in a case; ``type``: another version of its machine type holds from
            then on; ``said``: a person says that what it does since then is normal.
        text: what was changed, or the reason in the person's words.
        case: id of the case that it was said in; empty: in none.
        by: who said so; empty: it follows from the records.
        part_of: component of which a part was replaced; empty: another kind of change.
    """

    at: int
    kind: ChangeKind
    text: str = ""
    case: str = ""
    by: str = ""
    part_of: str = ""

    @property
    def id(self) -> str:
        """The same change has the same id, whoever asks."""
        return f"{self.kind}:{self.at}:{self.case}"


def change_instant(id: str) -> int:
    """The instant of a change, from its id."""
    return int(id.split(":")[1])


def parts_replaced(changes: Iterable[MachineChange]) -> dict[str, list[int]]:
    """Of each component, when people say that a part of it was replaced (ns UTC)."""
    found: dict[str, list[int]] = {}
    for change in changes:
        if change.part_of:
            found.setdefault(change.part_of, []).append(change.at)
    return found
