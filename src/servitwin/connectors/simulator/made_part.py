"""The part that a simulated machine has just finished: serial number, what went into it, and what was measured."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import msgspec

from servitwin.connectors.simulator.machine import Outputs
from servitwin.domain.instant import HOUR, NS

CAST_EVERY = 8 * HOUR  # the foundry delivers one batch of castings a shift
POROUS_EVERY, BAD_TOOL_EVERY = 5, 7  # so that three days of past hold some of each
POROUS_SCRAP = 0.1


class Feature(msgspec.Struct, frozen=True):
    """A measured feature of a product: nominal size and half of its tolerance, mm."""

    nominal: float
    half: float


FEATURES = {
    "bracket": {"bore": Feature(12.0, 0.018), "length": Feature(80.0, 0.05)},
    "housing": {"bore": Feature(25.0, 0.021), "length": Feature(120.0, 0.06)},
    "flange": {"bore": Feature(40.0, 0.025), "length": Feature(18.0, 0.04)},
}
ROUGHEST_UM = 1.6


class MadePart(msgspec.Struct, frozen=True):
    """A finished part as the machine reports it."""

    serial: str
    product: str = ""
    batch: str = ""
    tool: str = ""
    role: str = "operator"
    good: bool = True
    reason: str = "none"
    cycle_s: float = 0.0
    container: str = ""
    measured: dict[str, float] = {}


def cast_batch(now: int) -> str:
    """The batch of castings that is used at an instant: day and shift (UTC) of its delivery."""
    day = datetime.fromtimestamp(now // CAST_EVERY * CAST_EVERY // NS, UTC)
    return f"K{day:%Y%m%d}-{'ABC'[now // CAST_EVERY % 3]}"


def is_porous(now: int) -> bool:
    """Whether the batch of that instant came badly out of the mould."""
    return now // CAST_EVERY % POROUS_EVERY == 2


def tool_id(machine: str, place: int, changes: int) -> str:
    """One tool: the machine, its place in the magazine, and which one it is in turn."""
    return f"{machine}-T{place:02d}-{changes:04d}"


def is_bad_tool(changes: int) -> bool:
    """Whether that tool was ground too large."""
    return changes % BAD_TOOL_EVERY == 3


def measure(product: str, seed: str, wear: float, bad_tool: bool, warm: float) -> tuple[dict[str, float], str]:
    """Measured features, mm and um, and which one is out of tolerance (empty: none).

    The chance of a part is its own: it changes nothing of what the machine does next.

    Args:
        product: its name.
        seed: names the part.
        wear: of the tool, 0 to 1: the bore gets smaller.
        bad_tool: ground too large: the bore is too.
        warm: degrees of the spindle above 25 Cel.
    """
    rng = Random(seed)
    features = FEATURES[product]
    bore = features["bore"].nominal + rng.gauss(0.0, 0.0042) - 0.005 * wear + 0.00012 * warm + 0.011 * bad_tool
    length = features["length"].nominal + rng.gauss(0.0, 0.011) + 0.0003 * warm
    rough = max(0.2, 0.75 + 0.45 * wear**2 + rng.gauss(0.0, 0.07) + 0.2 * bad_tool)
    found = {"bore": round(bore, 4), "length": round(length, 4), "roughness": round(rough, 3)}
    wrong = [n for n, f in features.items() if abs(found[n] - f.nominal) > f.half]
    wrong += ["roughness"] if rough > ROUGHEST_UM else []
    return found, wrong[0] if wrong else ""


def shown_part(part: MadePart | None) -> Outputs:
    """What the machine says of the part that it finished last."""
    if part is None:
        return {}
    return {
        "part.serial": part.serial,
        "part.status": "PASS" if part.good else "FAIL",
        "part.reason": part.reason,
        **({"part.container": part.container} if part.container else {}),
        **_from_cutting(part),
    }


def _from_cutting(part: MadePart) -> Outputs:
    if not part.tool:
        return {}
    return {
        "part.batch": part.batch,
        "part.tool": part.tool,
        "part.role": part.role,
        "part.product": part.product,
        "part.cycle": part.cycle_s,
        **{f"part.{name}": value for name, value in part.measured.items()},
    }
