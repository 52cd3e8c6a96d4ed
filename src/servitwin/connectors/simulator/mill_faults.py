"""What can break in a CNC mill, and how it shows."""

from __future__ import annotations

from servitwin.connectors.simulator.defects import SWITCHES, FaultSpec

FAULTS = (
    FaultSpec(
        "spindle-bearing", "Spindle bearing fails", "spindle",
        "Vibration climbs from 1 to over 7 mm/s, the spindle warms up, a warning, then the machine stops with a fault",
        "SP-9031", "SPINDLE VIBRATION HIGH", "spindle.condition", 75.0, 30.0, 0.012,
    ),
    FaultSpec(
        "coolant-pump", "Coolant pump loses pressure", "coolant",
        "Coolant pressure falls from 18 to 3 bar, tools wear faster, then the machine stops",
        "EX-1012", "COOLANT PRESSURE LOW", "coolant.condition", 60.0, 25.0, 0.012,
    ),
    FaultSpec(
        "tool-breakage", "Tool breaks", "tool",
        "The load drops, the part is scrap, the machine stops until the tool is changed",
        "PS-0509", "TOOL BROKEN", "tool.condition", 4.0, 20.0, 0.03,
    ),
    FaultSpec(
        "axis-servo", "Axis drive fails", "axis",
        "Load and temperature of the axis climb, then the drive trips and the machine stops",
        "SV-0410", "EXCESS ERROR X AXIS", "axis.condition", 50.0, 30.0, 0.008,
    ),
    *SWITCHES,
)  # fmt: skip
