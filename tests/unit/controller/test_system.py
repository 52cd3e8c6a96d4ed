"""What the solver is told about a controller."""

import json

from servitwin.domain.controller_flat import flatten
from servitwin.formats.controller_file import read_controller
from servitwin.proof.controller.system import System

SWITCHES = {
    "controller": "switches",
    "version": 1,
    "inputs": {name: {"range": [0, 7]} for name in ("one", "two", "three", "four", "five")},
    "regions": {"r": {"initial": "a", "states": {"a": {"transitions": [{"to": "a", "when": "one == two"}]}}}},
}


def test_what_a_term_reads_is_never_that_of_a_term_that_is_gone():
    controller, _ = read_controller(json.dumps(SWITCHES))
    system = System(flatten(controller), ())
    names = list(SWITCHES["inputs"])
    for turn in range(300):
        # Terms are thrown away in each turn, and the solver gives their numbers to the next ones.
        first, second = names[turn % 5], names[(turn + 1 + turn // 5 % 4) % 5]
        assert system.read_by(system.names[first] + turn % 7 == system.names[second]) == {first, second}
