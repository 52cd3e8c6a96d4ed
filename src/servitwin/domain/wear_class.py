"""Which class of wear a tool is in, with a stated confidence; both classes, "I do not know", where few tools tell.

Full conformal prediction by class (Vovk, Gammerman and Shafer 2005, section 4.5): a class stays possible as long as the
tool is not stranger in it than nearly all tools known to be in it. It holds for any number of tools and any data: few
tools or useless signals give wide answers, not wrong ones.
"""

from __future__ import annotations

import msgspec
import numpy as np

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.observation import Bools, Floats

FEWEST = 4  # tools of each class


class WearClass(msgspec.Struct, frozen=True):
    """What may be said of one tool.

    Attributes:
        possible: classes that the confidence leaves; one of them: it is known, two: it is not.
        chances: p-value of each class.
        text: the same in words.
    """

    possible: list[str]
    chances: dict[str, float]
    text: str


def wear_class(
    known: Floats, worn: Bools, given: Floats, new: Floats, new_given: Floats, confidence: float = 0.8
) -> WearClass:
    """The class of a tool.

    Args:
        known: signals of tools (n, d), a row a tool.
        worn: their class (n,).
        given: how each was run (n, k), such as the feed: what it explains of the signals is taken out.
        new: signals of the tool asked for (d,).
        new_given: how it was run (k,).
        confidence: share of tools whose class is among the possible ones.

    Raises:
        InvalidInputError: ``wear:too-few-tools`` of one class.
    """
    for name, count in (("worn", int(worn.sum())), ("unworn", int((~worn).sum()))):
        if count < FEWEST:
            message = f"{count} {name} tools are known, {FEWEST} are needed"
            raise InvalidInputError(Fault("wear:too-few-tools", message, "Measure more tools to the end", "worn"))
    rows, how = np.vstack([known, new]), np.vstack([given, new_given])
    chances = {}
    for name, label in (("unworn", False), ("worn", True)):
        labels = np.append(worn, label)
        strange = _strangeness(rows, labels, how)
        mine = strange[labels == label]
        chances[name] = float((mine >= strange[-1] - 1e-12).mean())
    possible = [name for name, p in chances.items() if p > 1 - confidence]
    if not possible:
        text = "I do not know: it is like neither the worn tools nor the unworn ones"
    elif len(possible) == 2:
        text = "I do not know: it may be worn or not, by the tools that are known"
    else:
        text = f"It is {possible[0]} ({100 * confidence:.0f} % confidence)"
    return WearClass(possible, chances, text)


class WearQuality(msgspec.Struct, frozen=True):
    """How good such words are, each tool judged by all others.

    Attributes:
        tools: judged; held: of how many the true class was among the possible ones.
        sure: for how many one class alone was named; right: for how many of them the true one.
    """

    tools: int
    held: int
    sure: int
    right: int


def judge_wear(known: Floats, worn: Bools, given: Floats, confidence: float = 0.8) -> WearQuality:
    """Judge each tool by the others; arguments as those of :func:`wear_class`.

    Raises:
        InvalidInputError: ``wear:too-few-tools`` once one is left out.
    """
    held = sure = right = 0
    for i, name in enumerate(("unworn", "worn")[int(w)] for w in worn):
        others = np.arange(len(worn)) != i
        said = wear_class(known[others], worn[others], given[others], known[i], given[i], confidence).possible
        held += name in said
        sure += len(said) == 1
        right += said == [name]
    return WearQuality(len(worn), held, sure, right)


def _strangeness(rows: Floats, labels: Bools, how: Floats) -> Floats:
    """Of each tool, its distance to its own class (without itself) as a share of that to both classes."""
    design = np.column_stack([np.ones(len(rows)), how])
    rest = rows - design @ np.linalg.lstsq(design, rows, rcond=None)[0]
    scaled = rest / np.where(rest.std(0) > 1e-12, rest.std(0), 1.0)
    found = np.empty(len(rows))
    for i in range(len(rows)):
        own, other = labels == labels[i], labels != labels[i]
        own[i] = False
        to_own = np.linalg.norm(scaled[i] - scaled[own].mean(0)) if own.any() else 0.0
        to_other = np.linalg.norm(scaled[i] - scaled[other].mean(0))
        found[i] = to_own / (to_own + to_other + 1e-12)
    return found
