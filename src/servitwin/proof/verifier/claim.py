"""What the file claims, computed again: the verdict, its margin, and what a proof of repair needs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from . import canonical, formula, shape, step
from .excerpt import CONNECTION, Excerpt
from .held import held_values
from .refusal import RefusedError
from .statements import Statement

_VERDICTS = {"violated": "false", "holds": "true", "repaired": "true"}
# The margin is computed in another order of operations than the monitor's: as near as doubles allow.
_NEAR = 1e-9


@dataclass
class Claim:
    """The claim, as it was found true; ``triggered``: how often the left of ``->`` became true, None without one."""

    kind: str
    requirement: str
    begin: int
    end: int
    least: float
    most: float
    case: str | None
    verdict_by: str
    verdict_entry: int
    triggered: int | None
    repair: Statement | None = None
    violation: Statement | None = None
    occurrences: int = 0
    needed: int = 0
    bound: float = 1.0


def excerpt_digest(excerpt: Any) -> str:
    """What a ``verdict`` statement says it read: all but the rows, which cut and log determine."""
    named = ("from", "to", "signals", "gaps", "states", "cut")
    return canonical.digest({name: excerpt[name] for name in named if name in excerpt})


def requirement_digest(requirement: Any) -> str:
    """What was required: everything but the version of the program that watched it."""
    return canonical.digest({name: value for name, value in requirement.items() if name != "monitor"})


def check_claim(file: dict[str, Any], excerpt: Excerpt, statements: dict[int, Statement]) -> Claim:
    """Evaluate the requirement over the excerpt and compare with what is claimed and with what was signed.

    Raises:
        RefusedError: ``proof:verdict-differs``, ``proof:verdict-not-stated``, ``proof:requirement-changed``,
            ``proof:excerpt-changed``, ``proof:excerpt-short``, ``proof:repair-not-shown``.
    """
    where = "claim"
    given = shape.table(file["claim"], where, "kind", "twin", "requirement", "from", "to", "verdict", "least", "most")
    kind = shape.text(given["kind"], where)
    if kind not in _VERDICTS or given["verdict"] != _VERDICTS[kind]:
        shape.wrong(where, "a claim of a known kind with its verdict")
    begin, end = shape.instant(given["from"], where), shape.instant(given["to"], where)
    if not excerpt.begin <= begin < end <= excerpt.end:
        raise RefusedError("proof:excerpt-short", "the claim is about times that the excerpt does not hold", where)
    least, most = shape.margin(given["least"], where), shape.margin(given["most"], where)
    requirement = shape.table(
        file["requirement"], "requirement", "name", "text", "severity", "formula", "tree", "logic", "monitor"
    )
    if requirement["logic"] != formula.LOGIC:
        raise RefusedError("proof:logic-unknown", f"this verifier knows {formula.LOGIC} alone", "requirement.logic")
    if requirement["name"] != given["requirement"]:
        raise RefusedError("proof:requirement-changed", "the claim names another requirement", where)
    stated = _stated_verdict(file, given, statements)
    triggered = _evaluate(requirement["tree"], excerpt, kind, (begin, end), (least, most))
    case = given.get("case")
    claim = Claim(
        kind, requirement["name"], begin, end, least, most, case, stated.by, stated.index, triggered
    )  # fmt: skip
    if kind == "repaired":
        _check_repair(claim, requirement_digest(requirement), file["excerpt"]["cut"], statements)
    return claim


def _stated_verdict(file: dict[str, Any], claim: Any, statements: dict[int, Statement]) -> Statement:
    """The signed verdict that the claim rests on; it is the same in every point."""
    verdicts = [s for s in statements.values() if s.kind == "verdict"]
    same_time = [s for s in verdicts if (s.body.get("from"), s.body.get("to")) == (claim["from"], claim["to"])]
    if not same_time:
        raise RefusedError("proof:verdict-not-stated", "no signed verdict is about the times of the claim", "claim")
    found = same_time[-1]
    body = found.body
    if body.get("requirement") != requirement_digest(file["requirement"]):
        message = "the verdict was signed for a requirement with other words, formula or limits"
        raise RefusedError("proof:requirement-changed", message, found.where)
    if body.get("excerpt") != excerpt_digest(file["excerpt"]) or body.get("cut") != file["excerpt"]["cut"]:
        message = "the verdict was signed for other signals, units, accuracies, gaps or times than those of the excerpt"
        raise RefusedError("proof:excerpt-changed", message, found.where)
    for name, value in (("verdict", claim["verdict"]), ("least", claim["least"]), ("most", claim["most"])):
        if body.get(name) != value:
            raise RefusedError(
                "proof:verdict-differs", f"{name} is {value!r}, but {body.get(name)!r} was signed", "claim"
            )
    if body.get("logic") != formula.LOGIC:
        raise RefusedError("proof:logic-unknown", f"the verdict is not one of {formula.LOGIC}", found.where)
    return found


def signals_read(tree: Any) -> set[str]:
    """Names of all signals in a formula."""
    found: set[str] = set()
    rest = [tree]
    while rest:
        part = rest.pop()
        if isinstance(part, dict):
            if part.get("kind") in ("signal", "is", "active", "next_change"):
                found.add(shape.text(part.get("signal"), "requirement.tree"))
            rest.extend(part.values())
        elif isinstance(part, list):
            rest.extend(part)
    return found


def invariant(tree: Any) -> Any:
    """What has to hold at each instant: an ``always`` without bounds around the whole is understood."""
    bare = tree
    while isinstance(bare, dict) and bare.get("kind") == "named":
        bare = bare.get("of")
    if isinstance(bare, dict) and bare.get("kind") == "always":
        window = bare.get("window") or {}
        if isinstance(window, dict) and window.get("low", 0) == 0 and window.get("high") is None:
            return invariant(bare.get("of"))
    return tree


def _evaluate(tree: Any, excerpt: Excerpt, kind: str, span: tuple[int, int], margin: tuple[float, float]) -> int | None:
    names = signals_read(tree)
    for name in sorted(names | {CONNECTION}):
        if name not in excerpt.signals and not (name == "state" and excerpt.states is not None):
            message = f"{name} is needed to judge the requirement, and the excerpt does not hold it"
            raise RefusedError("proof:excerpt-short", message, "excerpt.signals")
    held = held_values(excerpt, names)
    root = invariant(tree)
    known = formula.evaluate(root, held, end=excerpt.end)
    begin, end = span
    surely, possibly = known.sure.during(begin, end), known.possible.during(begin, end)
    found = "true" if all(surely) else "false" if not any(possibly) else "neither true nor false all the time"
    if found != _VERDICTS[kind]:
        message = f"evaluated again, the requirement is {found} where it is said to be {_VERDICTS[kind]}"
        raise RefusedError("proof:verdict-differs", message, f"{shape.time_text(begin)} to {shape.time_text(end)}")
    least, most = min(known.least.during(begin, end)), min(known.most.during(begin, end))
    if not (_near(least, margin[0]) and _near(most, margin[1])):
        message = f"evaluated again, the margin is from {least:g} to {most:g}, not from {margin[0]:g} to {margin[1]:g}"
        raise RefusedError("proof:verdict-differs", message, "claim.least")
    while root.get("kind") == "named":
        root = root["of"]
    if root.get("kind") != "implies":
        return None
    return occurrences(formula.evaluate(root["condition"], held, end=excerpt.end), begin, end)


def occurrences(trigger: formula.Known, begin: int, end: int) -> int:
    """How often a trigger occurred in [begin, end): it is surely true, and was surely false since the time before.

    One that trembles inside the accuracy of its sensor does not occur again; one that holds at the beginning counts.
    """
    known = step.both(
        trigger.sure, trigger.possible, lambda sure, possible: True if sure else None if possible else False
    )
    found = 0
    awaited = True
    for truth in known.during(begin, end):
        found += truth is True and awaited
        awaited = truth is False or (truth is None and awaited)
    return found


def _near(a: float, b: float) -> bool:
    return a == b or math.isclose(a, b, rel_tol=_NEAR, abs_tol=_NEAR)


def _check_repair(claim: Claim, requirement: str, cut: Any, statements: dict[int, Statement]) -> None:
    """Violation, then repair, then as many occurrences without recurrence as the requirement demands.

    Of several repairs the last one before the time of the claim counts, and the last violation before it. What was done
    and verified in another case says nothing of this one.
    """

    def is_mine(s: Statement) -> bool:
        return claim.case is None or s.case in (None, claim.case)

    found = sorted(statements.values(), key=lambda s: s.index)
    violations = [
        s for s in found
        if s.kind == "verdict" and s.body.get("verdict") == "false" and s.body.get("requirement") == requirement
        and shape.instant(s.body.get("to"), s.where) <= claim.begin
    ]  # fmt: skip
    if not violations:
        raise RefusedError("proof:repair-not-shown", "no signed violation of this requirement before it", "statements")
    repairs = [
        s for s in found
        if s.kind == "repair" and is_mine(s) and s.index > violations[0].index
        and shape.instant(s.body.get("done_at"), s.where) <= claim.begin
    ]  # fmt: skip
    if not repairs:
        message = "no signed repair between the violation and the time for which the requirement holds"
        raise RefusedError("proof:repair-not-shown", message, "statements")
    repair = repairs[-1]
    violation = [s for s in violations if s.index < repair.index][-1]
    done_at = shape.instant(repair.body.get("done_at"), repair.where)
    if any(shape.instant(s.body.get("from"), s.where) > done_at for s in violations):
        message = "the requirement was violated again after the last repair that is signed"
        raise RefusedError("proof:repair-not-shown", message, "statements")
    said = [s for s in found if s.kind == "repair-verified" and is_mine(s) and s.index > repair.index]
    if not said:
        raise RefusedError("proof:repair-not-shown", "no signed word that the repair is verified", "statements")
    verified = said[-1]
    body, where = verified.body, verified.where
    shape.table(body, where, "requirement", "occurrences", "needed", "bound", "since", "cut")
    claim.occurrences, claim.needed = shape.whole(body["occurrences"], where), shape.whole(body["needed"], where)
    claim.bound = shape.real(body["bound"], where)
    # Without a ``->`` the condition is that of the rule of repair, which is not in the file: words.py says so.
    counted = claim.occurrences if claim.triggered is None else claim.triggered
    if body["requirement"] != requirement or body["cut"] != cut or shape.instant(body["since"], where) != claim.begin:
        raise RefusedError("proof:repair-not-shown", "the repair was verified for another requirement or time", where)
    if not claim.needed <= claim.occurrences <= counted:  # fewer than found: the others did not qualify
        message = f"{claim.occurrences} occurrences are stated, {counted} are found, {claim.needed} are needed"
        raise RefusedError("proof:verdict-differs", message, where)
    allowed = recurrence_bound(claim.occurrences)
    if not _near(claim.bound, allowed):
        message = f"{claim.occurrences} occurrences allow the bound {allowed:g}, not {claim.bound:g}"
        raise RefusedError("proof:verdict-differs", message, where)
    claim.violation, claim.repair = violation, repair


def recurrence_bound(occurrences: int) -> float:
    """Largest chance of a recurrence per occurrence that is still compatible, at 95 %, with n without one.

    From (1 - p)^n = 0.05; about 3/n. Without any occurrence nothing is known: 1.
    """
    return 1.0 if occurrences <= 0 else -math.expm1(math.log(0.05) / occurrences)
