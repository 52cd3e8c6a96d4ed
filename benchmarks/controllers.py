"""Model checker: a gantry of about 10^14 reachable states proven and, with a seeded defect, refuted.

Run: ``python benchmarks/controllers.py [seconds]``. One core; the seed is fixed. The limit is processor time, so that
other load counts for nothing; wall seconds stand beside it.

Reachable states are counted from below, exactly: while the supervisor is ready and nobody asks for a door, the axes,
the gripper and the lubrication do not read each other (checked below), axes and gripper may wait in their first state
for as long as they like, and the lubrication is a clock of its own. So every combination of what each of them reaches
alone is reached. States with open doors come on top.
"""

from __future__ import annotations

import sys
import time
from itertools import product
from math import prod
from pathlib import Path

import msgspec

from servitwin.domain.controller import Controller, Input
from servitwin.domain.controller_flat import flatten
from servitwin.domain.controller_term import names_in
from servitwin.formats.controller_file import read_controller
from servitwin.proof.controller.check import Check
from servitwin.proof.controller.run import Interpreter

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "controllers" / "gantry.yaml"
PARTS = {
    "x": ({"x_position", "x_brake"}, ("x_command",)),
    "y": ({"y_position", "y_brake"}, ("y_command",)),
    "gripper": ({"width", "holding"}, ("grip", "part")),
    "lubrication": ({"pump_rest", "pump_run"}, ()),
}
CALM = {"supervisor", "estop"}  # ready, and not pressed
MENDED = "reset and not estop and not request_1 and not request_2\n"
DEFECT = "reset and not estop\n"  # starts again although somebody has just asked for a door


def reached_alone(controller: Controller, region: str) -> int:
    """States of one part of the gantry, by plain enumeration, in calm."""
    own, commands = PARTS[region]
    flat = flatten(controller)
    for t in flat.transitions:
        if t.region == region:
            read = {*names_in(t.guard), *(n for _, v in t.assigns for n in names_in(v))}
            assert read <= own | {region, *commands} | CALM, f"{region} reads {read}"
    supervisor = Input("supervisor", flat.state["supervisor"])
    part = msgspec.structs.replace(
        controller,
        regions=tuple(r for r in controller.regions if r.name == region),
        variables=tuple(v for v in controller.variables if v.name in own),
        timers=tuple(t for t in controller.timers if t.name in own),
        inputs=(*(i for i in controller.inputs if i.name in commands or i.name == "estop"), supervisor),
    )
    interpreter = Interpreter(part)
    ranges = [range(interpreter.inputs[c].size) for c in commands]
    choices = [{"estop": 0, "supervisor": 0, **dict(zip(commands, c, strict=True))} for c in product(*ranges)]
    open_ = list(interpreter.starts())
    if commands:
        calm = choices[0]
        assert next(interpreter.successors(open_[0], calm))[1].values == open_[0], f"{region} cannot wait"
    seen = {tuple(s.values()) for s in open_}
    while open_:
        state = open_.pop()
        for inputs in choices:
            for _, after in interpreter.successors(state, inputs):
                key = tuple(after.values.values())
                if key not in seen:
                    seen.add(key)
                    open_.append(after.values)
    return len(seen)


def main() -> int:
    """Print the table; 1 if a property was not settled."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    text = EXAMPLE.read_text("utf-8")
    assert MENDED in text
    controller, faults = read_controller(text)
    assert controller is not None, faults
    alone = {region: reached_alone(controller, region) for region in PARTS}
    combined = " x ".join(f"{n} ({r})" for r, n in alone.items())
    print(f"reachable states, at least: {combined} = {prod(alone.values()):.2e}\n")
    print("| controller | proven | violated | not settled | seconds | processor seconds |")
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    unsettled = 0
    for title, source in (("gantry", text), ("gantry, seeded defect", text.replace(MENDED, DEFECT))):
        one, faults = read_controller(source)
        assert one is not None, faults
        wall, used = time.perf_counter(), time.process_time()
        report = Check(one).report(time.process_time, seconds=seconds, defects=False)
        wall, used = time.perf_counter() - wall, time.process_time() - used
        counts = [
            sum(a.outcome == o for a in report.answers) for o in ("proven", "violated", "no violation up to depth")
        ]
        unsettled += counts[2]
        print(
            f"| {title}: {len(one.properties)} properties | {' | '.join(map(str, counts))} | {wall:.1f} | {used:.1f} |"
        )
    return 1 if unsettled else 0


if __name__ == "__main__":
    sys.exit(main())
