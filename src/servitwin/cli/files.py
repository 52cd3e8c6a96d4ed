"""Files that people write: ``check`` without a node, ``import`` into one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from servitwin.cli.node import FINDING, DataOption, JsonOption, ToOption, connect, handled, print_json
from servitwin.cli.starters import Starters
from servitwin.domain.error import Fault, InvalidInputError

_CONTRACT = re.compile(rb"""^\{?["']?contract["']?\s*:""", re.MULTILINE)
_MACHINE_TYPE = re.compile(rb"""^\s*\{?\s*["']?machine_type["']?\s*:""", re.MULTILINE)
_REQUIREMENTS = re.compile(rb"""^\{?["']?for["']?\s*:""", re.MULTILINE)
FilesArgument = Annotated[
    list[Path], typer.Argument(help="YAML files of machine types, plants, contracts or requirements")
]


def add(app: typer.Typer, starters: Starters) -> None:
    """Add the commands."""

    def check(files: FilesArgument, as_json: JsonOption = False) -> None:
        """Find all faults of files, with line, column and remedy. Needs no node."""
        faults = list(starters.check_files(files))
        if as_json:
            print_json({"ok": not faults, "faults": faults})
        else:
            for fault in faults:
                typer.echo(str(fault))
            typer.echo(f"{len(faults)} faults in {len(files)} files" if faults else f"{len(files)} files are right")
        if faults:
            raise typer.Exit(FINDING)

    app.command("check")(handled(check))
    app.command("import")(handled(import_files))


def import_files(
    files: FilesArgument,
    each_twin: Annotated[
        bool, typer.Option("--each-twin", help="Requirements for a machine type: add them to each twin that has it")
    ] = False,
    data: DataOption = None,
    to: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring machine types, plants, contracts and requirements that files declare into a running node."""
    from servitwin.cli.requirement_files import import_requirements  # noqa: PLC0415 - no other command reads formulas

    contents = _readable(files)
    done: dict[str, list[str]] = {"registered": [], "changed": [], "retired": [], "unchanged": [], "restart": []}
    with connect(data, to) as node:
        for content in contents:
            if _CONTRACT.search(content):
                added = node.add_contract(content)
                done["registered"].append(f"{added['id']}@{added['version']}")
                continue
            if _REQUIREMENTS.search(content):
                for word, names in import_requirements(node, content, each_twin).items():
                    done[word] += names
                continue
            is_type = _MACHINE_TYPE.search(content) is not None
            answer = node.import_file(content) if is_type else node.import_plant(content)
            for word, names in done.items():
                names.extend(getattr(answer, word, []))
    if as_json:
        print_json(done)
        return
    for word, names in done.items():
        for name in names:
            typer.echo(f"{word:<10} {name}" if word != "restart" else f"takes effect at the node's next start: {name}")


def _readable(files: list[Path]) -> list[bytes]:
    """Contents of all files, or every one that cannot be read."""
    contents: list[bytes] = []
    faults: list[Fault] = []
    for path in _inside(files):
        try:
            contents.append(path.read_bytes())
        except OSError as e:
            faults.append(Fault("file:unreadable", e.strerror or str(e), "Check the name", file=str(path)))
    if faults:
        raise InvalidInputError(faults)
    # A plant refers to types, contracts and requirements to twins: they have to be there first.
    return sorted(contents, key=_order)


def _order(content: bytes) -> int:
    if _CONTRACT.search(content) or _REQUIREMENTS.search(content):
        return 2
    return 0 if _MACHINE_TYPE.search(content) else 1


def _inside(paths: list[Path]) -> list[Path]:
    """Files as they are, and of folders all YAML files below them, by name."""
    found: list[Path] = []
    for path in paths:
        inside = (p for p in path.rglob("*") if p.suffix in {".yaml", ".yml"})
        found += sorted(inside) if path.is_dir() else [path]
    return found
