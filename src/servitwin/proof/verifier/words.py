"""The result in plain words: what is proven, by whom, and what is not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .claim import Claim
from .excerpt import Excerpt
from .log import Cosigned, Head, Stamped
from .machine_key import not_signed, said_signed
from .shape import NS, time_text


@dataclass
class Facts:
    """What the checks found, for the sentences."""

    file: dict[str, Any]
    claim: Claim
    excerpt: Excerpt
    head: Head
    cosigned: list[Cosigned]
    owner: str
    sealed_by: str
    who_known: bool
    own_heads: int
    own_copy: bool
    stamped: list[Stamped]
    machine_keys: dict[str, int]
    machine_keys_revoked: dict[str, int]

    @property
    def machine(self) -> str:
        """The machine as people call it."""
        machine = self.file["machine"]
        return f"{machine['title'] or machine['id']} (serial {machine['serial'] or 'not given'}, {machine['uid']})"

    @property
    def span(self) -> str:
        """The time of the claim."""
        return f"from {short(self.claim.begin)} to {short(self.claim.end)}"


def short(ns: int) -> str:
    """A time without decimals that mean nothing."""
    text = time_text(ns)
    return text[:-1].rstrip("0").rstrip(".") + "Z" if "." in text else text


def title(facts: Facts) -> str:
    """The claim in a sentence."""
    claim = facts.claim
    said = {
        "violated": f"{facts.machine} violated the requirement {claim.requirement} {facts.span}",
        "holds": f"{facts.machine} met the requirement {claim.requirement} {facts.span}",
        "repaired": f"{facts.machine} violated the requirement {claim.requirement}, was repaired, and met it "
        f"{facts.span}",
    }
    return said[claim.kind]


def proven(facts: Facts) -> list[str]:
    """What the checks show."""
    claim, excerpt = facts.claim, facts.excerpt
    rows = sum(len(s.times) for s in excerpt.signals.values())
    found = [
        "The file is whole: no byte was changed since it was sealed by " + facts.sealed_by + ".",
        f"The requirement reads: {facts.file['requirement']['text']}",
        f"As a formula: {spoken(facts.file['requirement']['tree'])}",
        f"Evaluated again over {rows} observations of {len(excerpt.signals)} signals, it is "
        f"{facts.file['claim']['verdict']} at every instant {facts.span}.{_margin(claim)}",
        f"{claim.verdict_by} signed this verdict (entry {claim.verdict_entry} of the log).",
        f"The observations are those that {facts.owner} bound in {excerpt.segments} segments when they came in; "
        "no row of these signals is left out up to " + _cut(excerpt) + ".",
    ]
    found += said_signed(excerpt, facts.owner, facts.machine_keys)
    if claim.triggered is not None:
        times = "once" if claim.triggered == 1 else f"{claim.triggered} times"
        found.append(
            f"In that time the condition of the requirement occurred {times}."
            if claim.triggered
            else "The condition of the requirement never occurred in that time: it holds vacuously."
        )
    if claim.kind == "repaired" and claim.repair is not None and claim.violation is not None:
        body, said = claim.repair.body, short(claim.repair.made)
        found += [
            f"The violation before it was signed by {claim.violation.by} (entry {claim.violation.index}).",
            f"The repair was signed by {claim.repair.by} at {said} (entry {claim.repair.index}): "
            f"{body.get('component')}, {body.get('kind')}, {body.get('what')}, done by {body.get('done_by')} at "
            f"{body.get('done_at')}.",
            _kept_since(claim),
        ]
    found += [_cosigners(c) for c in facts.cosigned if c.by]
    if facts.own_heads:
        found.append(f"The log is the one that your own node co-signed ({facts.own_heads} heads compared).")
    if facts.own_copy:
        found.append("The log is the one that you hold a copy of; no segment of that time is left out.")
    return found


def not_proven(facts: Facts) -> list[str]:
    """What the checks cannot show."""
    found = []
    if not facts.who_known:
        found.append("The file is consistent in itself; who stands behind it is not known: give the keys with --keys.")
    strangers = {party for c in facts.cosigned for party, _, known in c.by if not known}
    if facts.who_known and strangers:
        found.append(f"That the co-signatures are those of {', '.join(sorted(strangers))}: give their keys as well.")
    if not facts.own_heads and not facts.own_copy:
        found.append("That everybody is shown the same log: compare with your own heads (--head) or copy (--witness).")
    if not facts.own_copy:
        shards = ", ".join(str(s) for s in sorted(facts.excerpt.cut)) or "none"
        found.append(
            f"What came in by other streams than {shards}, and whether a key was revoked that the file does not say."
        )
    if facts.excerpt.bound_until < facts.claim.end:
        found.append(
            f"What the machine did after {short(facts.excerpt.bound_until)}: nothing of its streams that was bound "
            "later is shown, and the last values are taken to hold."
        )
    found += [not_judged(s.authority, s.head.size, s.time) for s in facts.stamped]
    if facts.excerpt.gaps:
        found.append("That nothing was known in the declared gaps: they are as the signer of the verdict states them.")
    if facts.excerpt.states is not None:
        found.append("How the machine's state was derived: the states are as the signer of the verdict states them.")
    if facts.claim.kind == "repaired":
        found.append("That the load was comparable, and the violation itself: that has a proof file of its own.")
        found += _taken_as_said(facts.claim)
    found += not_signed(facts.excerpt, facts.owner, facts.machine_keys, facts.machine_keys_revoked)
    found.append("Anything beyond the machine's gateway and its clock: what they sent is taken as sent.")
    found.append("The cause of a violation and its place.")
    return found + [f"As the file says: {limit}" for limit in facts.file["limits"]]


def not_judged(authority: str, size: int, time: int) -> str:
    """A time stamp whose signature nobody has judged yet."""
    return (
        f"That {authority} saw the first {size} entries of the log at {short(time)}: the file holds its answer "
        "(RFC 3161), whose signature this program does not read; `servitwin verify --timestamp-roots PEM` does."
    )


def details(facts: Facts) -> dict[str, Any]:
    """The result for programs."""
    claim = facts.claim
    return {
        "kind": claim.kind,
        "twin": facts.file["machine"]["uid"],
        "requirement": claim.requirement,
        "from": time_text(claim.begin),
        "to": time_text(claim.end),
        "least": claim.least if math.isfinite(claim.least) else str(claim.least),
        "most": claim.most if math.isfinite(claim.most) else str(claim.most),
        "triggered": claim.triggered,
        "log": facts.head.log,
        "size": facts.head.size,
        "root": facts.head.root.hex(),
        "owner": facts.owner,
        "sealed_by": facts.sealed_by,
        "stamped": [{"authority": s.authority, "size": s.head.size, "time": time_text(s.time)} for s in facts.stamped],
        "segments_of_machine": facts.excerpt.own,
        "segments_signed_at_machine": facts.excerpt.signed if facts.machine_keys else 0,
        "cosigned_by": sorted({party for c in facts.cosigned for party, _, _ in c.by}),
    }


def _kept_since(claim: Claim) -> str:
    lasted = f"Since then it was kept for {(claim.end - claim.begin) // NS} s"
    if not claim.occurrences:
        none = claim.triggered is None
        return f"{lasted}; " + ("there was no condition that had to come again." if none else "no occurrence counts.")
    if claim.triggered is None:
        return f"{lasted}."
    return (
        f"Since then the condition occurred {claim.occurrences} times of {claim.needed} needed without recurrence: "
        f"at 95 % the chance of a recurrence is at most {100 * claim.bound:.1f} % an occurrence."
    )


def _taken_as_said(claim: Claim) -> list[str]:
    """What a proof of repair takes from the signer alone."""
    repair = claim.repair
    if repair is None:
        return []
    found = ["That no more occurrences or time are needed: the rule of repair is as the signer states it."]
    if claim.triggered is None and claim.occurrences:
        found.append(
            f"That the condition of the rule of repair came {claim.occurrences} times of {claim.needed} needed: "
            "the file does not hold it."
        )
    if repair.made > claim.begin:
        found.append(
            f"That the repair was done before {short(claim.begin)}, from when on is counted: it was said only at "
            f"{short(repair.made)}."
        )
    return found


def _margin(claim: Claim) -> str:
    if math.isinf(claim.least) and math.isinf(claim.most):
        return ""
    if claim.least == claim.most:
        return f" Its smallest margin is {claim.least:g}, in the unit of the comparison."
    return f" Its smallest margin lies between {claim.least:g} and {claim.most:g}, in the unit of the comparison."


def _cut(excerpt: Excerpt) -> str:
    return (
        " and ".join(f"sequence {last} of stream {shard}" for shard, last in sorted(excerpt.cut.items())) or "nothing"
    )


def _cosigners(cosigned: Cosigned) -> str:
    parties = " and ".join(party for party, _, _ in cosigned.by)
    head = cosigned.head
    return f"{parties} co-signed the head of {head.size} entries of {short(head.made)}; this log continues it."


# --- the formula, read back from what was evaluated ------------------------------------------------------------------
def spoken(node: Any) -> str:
    """The tree as text, so that the reader sees what was evaluated and not what was written beside it."""
    kind = node["kind"]
    if kind in ("always", "eventually", "historically", "once"):
        return f"{kind}{_window(node)}({spoken(node['of'])})"
    if kind in ("until", "since"):
        return f"({spoken(node['hold'])} {kind}{_window(node)} {spoken(node['goal'])})"
    if kind == "next_change":
        return f"next_change{_window(node)}({node['signal']}, {spoken(node['then'])})"
    if kind in ("and", "or"):
        return "(" + f" {kind} ".join(spoken(part) for part in node["parts"]) + ")"
    if kind == "implies":
        return f"({spoken(node['condition'])} -> {spoken(node['then'])})"
    if kind == "not":
        return f"not {spoken(node['of'])}"
    if kind == "named":
        return spoken(node["of"])
    if kind == "is":
        values = [str(v).lower() if isinstance(v, bool) else repr(v) for v in node["values"]]
        return f"{node['signal']} in ({', '.join(values)})"
    if kind == "active":
        level = "active" if node.get("warnings", True) else "fault"
        return f"{node['signal']} has {node['code']!r}" if node.get("code") else f"{node['signal']} is {level}"
    if kind == "compare":
        return f"{spoken(node['left'])} {node['relation']} {spoken(node['right'])}"
    if kind in ("count", "duration"):
        return f"{kind}[{_length(int(node['past']))}]({spoken(node['of'])})"
    if kind == "arithmetic":
        left, right, sign = spoken(node["left"]), spoken(node["right"]), node["operator"]
        return f"{sign}({left}, {right})" if sign in ("min", "max") else f"({left} {sign} {right})"
    if kind == "abs":
        return f"abs({spoken(node['of'])})"
    if kind == "signal":
        factor, offset = node.get("factor", 1), node.get("offset", 0)
        return node["signal"] if (factor, offset) == (1, 0) else f"({node['signal']} * {factor:g} + {offset:g})"
    value = node["value"]
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"


def _window(node: Any) -> str:
    window = node.get("window") or {}
    low, high = int(window.get("low", 0)), window.get("high")
    if low == 0 and high is None:
        return ""
    return f"[{_length(low)}, {'' if high is None else _length(int(high))}]"


def _length(ns: int) -> str:
    for unit, size in (("h", 3600 * NS), ("min", 60 * NS), ("s", NS), ("ms", 1_000_000), ("us", 1000)):
        if ns and ns % size == 0:
            return f"{ns // size}{unit}"
    return f"{ns}ns" if ns else "0s"
