"""``replay``: recorded machines into a running node."""

import contextlib
import time
from pathlib import Path
from typing import Annotated

import typer

from servitwin.cli.node import FINDING, DataOption, JsonOption, ToOption, connect, handled, print_json
from servitwin.cli.starters import Starters
from servitwin.config import default_data_folder
from servitwin.domain.error import Fault, InvalidInputError, UnavailableError

_INTERRUPTED = 130


def add(app: typer.Typer, starters: Starters) -> None:
    """Add the command."""
    kinds = ", ".join(starters.recording_kinds)

    def replay(
        kind: Annotated[str, typer.Argument(help=f"Kind of recording: {kinds}")],
        folder: Annotated[Path, typer.Argument(help="Folder of the recording")],
        machine: Annotated[list[str] | None, typer.Option(help="Only this machine; may be given again")] = None,
        speed: Annotated[str, typer.Option(help="max, or how many times real time", metavar="max|N")] = "max",
        data: DataOption = None,
        to: ToOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Replay recorded machines; the last line is JSON: read, published, stored, quarantined, repeated."""
        # Not at the top: `serve` runs from this command line too, and its process has no use for numpy.
        from servitwin.usecases.replay import Replay  # noqa: PLC0415

        del as_json  # the answer is one line of JSON in any case
        factor = _speed(speed)
        recording = starters.open_recording(kind, folder)
        with _node(starters, data, to), connect(data, to) as node:
            job = Replay(
                recording, node, _Progress().say, machines=machine or (), speed=factor,
                clock=time.monotonic, sleep=time.sleep,
            )  # fmt: skip
            try:
                print_json(job.run())
            except KeyboardInterrupt:
                print_json(job.counts)
                typer.echo("interrupted: run it again to go on, nothing will count twice", err=True)
                raise typer.Exit(_INTERRUPTED) from None
            except UnavailableError:
                print_json(job.counts)
                raise
        if job.counts.published != job.counts.read:
            raise typer.Exit(FINDING)

    app.command("replay")(handled(replay))


class _Progress:
    """Lines on standard error; those that follow each other fast are thinned out."""

    def __init__(self) -> None:
        self._last = 0.0

    def say(self, text: str) -> None:
        now = time.monotonic()
        if text[:1].isdigit() and now - self._last < 1.0:
            return
        if text[:1].isdigit():
            self._last = now
        typer.echo(text, err=True)


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        return float(text)
    except ValueError:
        raise InvalidInputError(
            Fault("replay:speed", f"--speed {text!r} is neither max nor a number", "Use max, 1, 60, 3600 ...")
        ) from None


def _node(starters: Starters, data: Path | None, to: str | None) -> contextlib.AbstractContextManager[None]:
    """A node for the time of the replay, where none runs on the data folder and one can be started."""
    folder = data or default_data_folder()
    if to is not None or starters.node is None or (folder / "run" / "address.json").exists():
        return contextlib.nullcontext()
    return starters.node(folder)
