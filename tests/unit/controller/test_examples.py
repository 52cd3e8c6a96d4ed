"""The examples: a seeded defect and the mended version, a second solver, an SCXML document."""

import time
from pathlib import Path

import cvc5
import msgspec
import pytest

from servitwin.domain.error import InvalidInputError
from servitwin.proof.controller.check import Check
from servitwin.proof.controller.conformance import Conform, Seen
from servitwin.proof.controller.counterexample import Replay, ReplayFailedError
from servitwin.proof.controller.drive import Drive
from servitwin.usecases.check_controller import ControllerText, Limits, check_controller, read

# Budgets count processor time: a busy machine makes these slow, not wrong.
pytestmark = pytest.mark.timeout(1200)

EXAMPLES = Path(__file__).parents[3] / "examples" / "controllers"


def text(name, side=None):
    return ControllerText(
        (EXAMPLES / name).read_text("utf-8"), name, (EXAMPLES / side).read_text("utf-8") if side else None, side or ""
    )


def second_opinion(smt):
    """The answer of cvc5 to an SMT-LIB text."""
    solver = cvc5.Solver()
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, smt, "obligation")
    symbols = parser.getSymbolManager()
    answer = ""
    while not (command := parser.nextCommand()).isNull():
        answer += command.invoke(solver, symbols).strip()
    return answer


@pytest.fixture(scope="module")
def mended():
    return check_controller(
        text("mill-door-mended.yaml"), time.process_time, older=text("mill-door.yaml"), smt_lib=True, limits=Limits(150)
    )


def test_the_defect_is_found_with_the_race_and_the_mended_version_is_proven(mended):
    rows = {c.name: c for c in mended.comparison.properties}
    assert mended.report.all_proven
    assert mended.report.findings == ()
    assert {n: c.change for n, c in rows.items()} == {
        "no-turning-behind-an-open-door": "mended", "stops-when-asked": "still proven", "lock-opens-at-rest": "mended",
    }  # fmt: skip
    run = rows["no-turning-behind-an-open-door"].older.counterexample
    last = run.steps[-1]
    assert (last.values["spindle"], last.values["door"]) == ("turning", "open")
    taken = [t for s in run.steps for t in s.taken]
    assert any("restart" in t for t in taken)
    assert run.replayed == len(run.steps) == 35  # start, stop, 30 ticks with a restart in them, release, open
    assert last.time_ns == 34 * 100_000_000


def obligations(mended):
    return {**mended.obligations, **{f"older {n}": t for n, t in mended.obligations_of_older.items()}}


def confirm(texts):
    for name, smt in texts.items():
        expected = "unsat" if ":status unsat" in smt else "sat"
        assert second_opinion(smt) == expected, name


def test_another_solver_confirms_what_is_proven(mended):
    texts = {n: t for n, t in obligations(mended).items() if len(t) < 20_000}
    assert len(texts) >= 10
    confirm(texts)


@pytest.mark.long  # the runs that violate are 34 steps unrolled: a minute each
def test_another_solver_confirms_every_obligation(mended):
    texts = obligations(mended)
    assert any("violation" in n for n in texts)
    confirm(texts)


def test_a_machine_that_is_driven_by_a_counterexample_speaks_as_the_model_explains(mended):
    controller = read(text("mill-door.yaml"))
    run = mended.comparison.properties[0].older.counterexample
    words = {o.signal for o in controller.observe}
    seen = [
        Seen(1_000_000_000_000 + p.index * controller.tick, name, value)
        for p in Drive(controller, run).positions()
        for name, value in p.signals.items()
        if name in words
    ]
    assert ("door_state", "OPEN") in {(o.signal, o.value) for o in seen}
    conformance = Conform(controller).compare(seen, 100, time.process_time)
    assert conformance.changes == conformance.explained > 0
    assert conformance.unexplained == ()


def test_a_run_that_was_tampered_with_does_not_replay():
    check = Check(read(text("mill-door.yaml")))
    from servitwin.proof.controller.budget import Budget
    from servitwin.proof.controller.unroll import Search

    search = Search(check.system, check.goals[2:])
    search.until(40, Budget(150, time.process_time))
    run = search.found["lock-opens-at-rest"]
    replay = Replay(check.system)
    assert replay.violation(check.properties[2], run, shortest=True).replayed == len(run)
    for at in range(len(run)):
        other = msgspec.structs.replace(run[at], state={**run[at].state, "door": 1 - run[at].state["door"]})
        with pytest.raises(ReplayFailedError):
            replay.violation(check.properties[2], [*run[:at], other, *run[at + 1 :]], shortest=True)
    with pytest.raises(ReplayFailedError):
        replay.violation(check.properties[2], run[:-1], shortest=True)


def test_scxml_example_is_proven():
    report = check_controller(text("fan.scxml", "fan.yaml"), time.process_time, limits=Limits(100)).report
    assert report.all_proven
    assert report.reached.states == report.reached.states_of == 4


def test_a_yaml_file_takes_no_side_file():
    with pytest.raises(InvalidInputError):
        read(text("mill-door.yaml", "fan.yaml"))


@pytest.mark.long
def test_the_command_line_ends_with_one_where_a_property_is_broken_and_needs_no_solver_to_load(tmp_path):
    import json
    import subprocess
    import sys

    command = [sys.executable, "-m", "servitwin.bootstrap", "controllers", "check"]
    broken = subprocess.run(
        [*command, str(EXAMPLES / "mill-door.yaml"), "--json", "--smt-lib", str(tmp_path / "smt"), "--seconds", "600"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert broken.returncode == 1, broken.stderr
    outcomes = {a["name"]: a["outcome"] for a in json.loads(broken.stdout)["report"]["answers"]}
    assert outcomes["no-turning-behind-an-open-door"] == "violated"
    assert list((tmp_path / "smt").glob("*-violation.smt2"))
    missing = subprocess.run([*command, str(tmp_path / "none.yaml")], capture_output=True, text=True)
    assert missing.returncode == 2
    assert "file:unreadable" in missing.stderr
    loaded = "import sys, servitwin.cli.app, servitwin.usecases.check_controller; print('z3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True).stdout.strip() == "False"
