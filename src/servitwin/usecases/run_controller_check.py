"""Checks of controllers that wait: one at a time, each by a process of its own that ends."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Awaitable, Callable, Iterable

import msgspec

from servitwin.domain.error import Fault, ServitwinError
from servitwin.domain.kept_controller import ControllerCheck
from servitwin.proof.controller.conformance_report import Seen
from servitwin.usecases.check_controller import Checked, ControllerText, Limits, check_controller, read
from servitwin.usecases.keep_controller import text_of
from servitwin.usecases.ports import Files, Records
from servitwin.usecases.rounds import Rounds

LONGEST = 600.0  # seconds that a check may be given for each version
_WHOLE = 3 * LONGEST + 300  # two versions, the comparison with a recording, loading and writing

Observe = Callable[[ControllerCheck, list[str]], Iterable[Seen]]


def run_next(
    records: Records, files: Files, observe: Observe, clock: Callable[[], float], now: Callable[[], int]
) -> ControllerCheck | None:
    """Do the check that waits longest and keep what it found; None if none waits.

    Args:
        records: where checks wait.
        files: where texts are and results go.
        observe: observations of the machine of a check, of these signals.
        clock: seconds that only grow.
        now: ns UTC.
    """
    waiting = records.controller_checks("waiting", 1)
    if not waiting:
        return None
    check = msgspec.structs.replace(waiting[0], state="running", began=now())
    records.save_controller_check(check)
    try:
        found = _checked(records, files, check, observe, clock)
    except ServitwinError as e:
        ended = msgspec.structs.replace(check, state="failed", fault=e.fault, ended=now())
    except MemoryError:
        fault = Fault("controller:out-of-memory", "The check needed more memory than it may have", "Divide the model")
        ended = msgspec.structs.replace(check, state="failed", fault=fault, ended=now())
    else:
        bare = msgspec.structs.replace(found, obligations={}, obligations_of_older={})
        texts = {**found.obligations, **{f"older/{n}": t for n, t in found.obligations_of_older.items()}}
        outcomes = [a.outcome for a in found.report.answers]
        ended = msgspec.structs.replace(
            check, state="done", ended=now(), proven=outcomes.count("proven"), violated=outcomes.count("violated"),
            not_settled=outcomes.count("no violation up to depth"), result=files.put(msgspec.json.encode(bare)),
            obligations=files.put(zipped(texts)) if texts else "",
        )  # fmt: skip
    records.save_controller_check(ended)
    return ended


def _checked(
    records: Records, files: Files, check: ControllerCheck, observe: Observe, clock: Callable[[], float]
) -> Checked:
    versions = {c.version: c for c in records.controllers(check.name)}
    source = text_of(files, versions[check.version])
    older: ControllerText | None = None
    if check.against is not None:
        older = text_of(files, versions[check.against])
    seen = None
    if check.twin:
        seen = list(observe(check, sorted({o.signal for o in read(source).observe})))
    limits = Limits(check.seconds, check.depth)
    return check_controller(source, clock, older=older, observations=seen, limits=limits, smt_lib=True)


def zipped(texts: dict[str, str]) -> bytes:
    """A ZIP archive; the same texts always give the same bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(texts):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, texts[name])
    return made.getvalue()


def check_rounds(records: Records, start: Callable[[], Awaitable[bytes]], now: Callable[[], int]) -> Rounds:
    """Rounds that do the checks that wait; ``start`` runs the process for one."""

    def close_interrupted() -> int:
        stuck = records.controller_checks("running")
        for check in stuck:
            fault = Fault(
                "controller:check-interrupted",
                "The check ended before it was done: the node stopped, or it needed too much time or memory",
                "Ask again, with less depth or less time",
            )
            records.save_controller_check(msgspec.structs.replace(check, state="failed", fault=fault, ended=now()))
        return len(stuck)

    return Rounds(start, lambda: bool(records.controller_checks("waiting", 1)), close_interrupted, _WHOLE)
