"""Replays that wait: the model is stepped, a simulated machine shows it, and what history then holds is judged."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

import msgspec

from servitwin.domain.controller import Controller
from servitwin.domain.controller_replay import ControllerReplay
from servitwin.domain.error import Fault, NotFoundError, ServitwinError
from servitwin.domain.twin import Twin
from servitwin.proof.controller.drive import Drive, Shown, Signals, broken_at
from servitwin.proof.controller.report import Counterexample
from servitwin.usecases.check_controller import Checked, read
from servitwin.usecases.keep_controller import text_of
from servitwin.usecases.ports import Files, Records
from servitwin.usecases.replay_controller import LONGEST_S, run_of
from servitwin.usecases.rounds import Rounds

_WHOLE = LONGEST_S + 120  # loading, the way to the broker, and until history holds the last step

Play = Callable[[Twin, str, Iterable[Shown], float], list[int]]
ReadBack = Callable[[Twin, list[str], int, int], Mapping[int, Mapping[str, float | str | bool]]]


def run_next_replay(
    records: Records,
    files: Files,
    play: Play,
    read_back: ReadBack,
    now: Callable[[], int],
    patience: Callable[[], bool],
) -> ControllerReplay | None:
    """Do the replay that waits longest and keep what it showed; None if none waits.

    Args:
        records: where replays wait.
        files: where texts and results of checks are.
        play: lets the twin's simulated machine show steps at a pace, in a session; when each was shown (ns UTC).
        read_back: what history holds of the twin's signals in [start, end), by time.
        now: ns UTC.
        patience: waits a moment for history to hold the last step; False when that is over.
    """
    waiting = records.controller_replays("waiting", 1)
    if not waiting:
        return None
    replay = msgspec.structs.replace(waiting[0], state="running", began=now())
    records.save_controller_replay(replay)
    try:
        ended = _replayed(records, files, replay, play, read_back, patience)
    except ServitwinError as e:
        ended = msgspec.structs.replace(replay, state="failed", fault=e.fault)
    ended = msgspec.structs.replace(ended, ended=now())
    records.save_controller_replay(ended)
    return ended


def _replayed(
    records: Records,
    files: Files,
    replay: ControllerReplay,
    play: Play,
    read_back: ReadBack,
    patience: Callable[[], bool],
) -> ControllerReplay:
    controller, run, twin = _parts(records, files, replay)
    drive = Drive(controller, run)
    times = play(twin, replay.id, (p.signals for p in drive.positions()), replay.pace)
    replay = msgspec.structs.replace(replay, began=times[0], last=times[-1])
    signals = drive.signals
    while True:
        held = read_back(twin, signals.names, times[0], times[-1] + 1)
        trace = signals.trace({i: held[t] for i, t in enumerate(times) if t in held})
        if len(trace) == len(times) or not patience():
            break
    replay = msgspec.structs.replace(replay, recorded=len(trace))
    if len(trace) < len(times):
        message = f"History holds {len(trace)} of the {len(times)} steps that the simulated machine showed"
        fault = Fault("controller:replay-incomplete", message, "See what ingest says, then replay again")
        return msgspec.structs.replace(replay, state="failed", fault=fault)
    [property] = [p for p in controller.properties if p.name == replay.property]
    same = None if replay.inputs_of != replay.version else _as_told(signals, run) == trace
    return msgspec.structs.replace(replay, state="done", broken_at=broken_at(property, trace), same=same)


def _parts(records: Records, files: Files, replay: ControllerReplay) -> tuple[Controller, Counterexample, Twin]:
    kept = next((c for c in records.controllers(replay.name) if c.version == replay.version), None)
    check, twin = records.controller_check(replay.check), records.twin(replay.twin)
    content = files.get(check.result) if check is not None else None
    run = None
    if content is not None:
        run = run_of(msgspec.json.decode(content, type=Checked), replay.inputs_of, replay.property)
    if kept is None or twin is None or run is None:
        message = f"What the replay of {replay.name}@{replay.version} needs is gone"
        raise NotFoundError(Fault("controller:no-run", message, "Have it checked again", "property"))
    return read(text_of(files, kept)), run, twin


def _as_told(signals: Signals, run: Counterexample) -> list[dict[str, int | None]]:
    """The positions of the solver's run as numbers."""
    return [{n: signals.ranges[n].read(text) for n, text in {**s.values, **s.inputs}.items()} for s in run.steps]


def replay_rounds(records: Records, start: Callable[[], Awaitable[bytes]], now: Callable[[], int]) -> Rounds:
    """Rounds that do the replays that wait; ``start`` runs the process for one."""

    def close_interrupted() -> int:
        stuck = records.controller_replays("running")
        for replay in stuck:
            fault = Fault("controller:replay-interrupted", "The replay ended before it was done", "Ask again")
            records.save_controller_replay(msgspec.structs.replace(replay, state="failed", fault=fault, ended=now()))
        return len(stuck)

    return Rounds(start, lambda: bool(records.controller_replays("waiting", 1)), close_interrupted, _WHOLE)
