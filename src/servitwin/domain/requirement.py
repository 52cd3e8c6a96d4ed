"""Requirements: what a machine must do, when it counts as mended, and what may be wrong when it does not."""

from __future__ import annotations

import msgspec

from servitwin.domain.finding import Severity


class RepairRule(msgspec.Struct, frozen=True, omit_defaults=True):
    """When a repair counts as proven.

    Attributes:
        when: formula of the condition that has to come again (under a comparable load); empty: the left of the
            requirement's ``->``.
        times: how many separate times it has to come, each with the requirement kept.
        lasting: for how long (ns) it has to last in sum; for a requirement without a condition this alone counts.
    """

    when: str = ""
    times: int = 3
    lasting: int = 0


class Requirement(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something the machine must fulfil, as a temporal-logic formula with its sentence in plain words.

    ``docs/concepts/requirement.md`` says what formulas mean.
    """

    name: str
    text: str
    formula: str
    severity: Severity = "medium"
    repair: RepairRule = RepairRule()


class LikelyCause(msgspec.Struct, frozen=True, omit_defaults=True):
    """A leaf of a component's fault tree: what may be behind a violation.

    Attributes:
        weight: how common it is among the causes of the component, relative to the others.
        explains: names of the requirements that it can violate; empty: all of its component.
        when: formula of what would be seen if it is the cause; it raises or lowers the rank.
        remedy: what mends it, in words.
    """

    name: str
    title: str
    weight: float = 1.0
    explains: tuple[str, ...] = ()
    when: str = ""
    remedy: str = ""
