"""Keys of the machine itself: what the file says of signatures under the observations, and whose word that is.

The node checks the signature of a message when it takes it in, and the segment that binds its rows says so. The
signatures are not in the file: that they were good is the word of the log's owner, who states it.
"""

from __future__ import annotations

from collections.abc import Iterable

from . import shape
from .excerpt import Excerpt
from .statements import Statement


def machine_keys(statements: Iterable[Statement], twin: str) -> tuple[dict[str, int], dict[str, int]]:
    """Keys of the machine with the entry that states each, and of those revoked from when on (ns).

    Raises:
        RefusedError: ``proof:wrong-shape``.
    """
    stated: dict[str, int] = {}
    revoked: dict[str, int] = {}
    for one in statements:
        if one.twin != twin or one.kind not in ("machine-key", "machine-key-revoked"):
            continue
        body = shape.table(one.body, one.where, "key")
        key = shape.text(body["key"], one.where)
        if one.kind == "machine-key":
            stated[key] = one.index
        else:
            since = shape.instant(shape.table(body, one.where, "from")["from"], one.where)
            revoked[key] = min(since, revoked.get(key, since))
    return stated, revoked


def said_signed(excerpt: Excerpt, owner: str, stated: dict[str, int]) -> list[str]:
    """What the owner of the log states of signatures under the observations."""
    if not excerpt.own or excerpt.signed < excerpt.own or not stated:
        return []
    keys = ", ".join(f"{key} of entry {entry}" for key, entry in stated.items())
    return [
        f"{owner} states, in each of the {excerpt.own} segments with observations of the machine, that every message "
        f"bore a good signature of the machine's own key ({keys}) when it came in."
    ]


def not_signed(excerpt: Excerpt, owner: str, stated: dict[str, int], revoked: dict[str, int]) -> list[str]:
    """What is not shown of them."""
    if not excerpt.own:
        return []
    if not excerpt.signed:
        return [f"That the observations come from the machine: no key of it signed them, the word begins at {owner}."]
    found = [
        f"The signatures of the machine's key: they are not in this file, and that they were good is {owner}'s word. "
        "Whether the machine was connected is never signed."
    ]
    if excerpt.signed < excerpt.own or not stated:
        rest = excerpt.own - excerpt.signed if stated else excerpt.own
        found.append(
            f"That the machine's key signed the observations of {rest} of the {excerpt.own} segments: nobody states it."
        )
    found += [
        f"What the machine's key {key} signed from {shape.time_text(since)} on: it is revoked from then on."
        for key, since in revoked.items()
        if since < excerpt.end
    ]
    return found
