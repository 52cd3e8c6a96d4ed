"""Make a new connector or service: one folder that passes the shared checks, and one line of registration."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "tools" / "plugin_templates"
SERVICE_KINDS = ("evaluator", "planner", "trainer")
STAGES = ("selling", "operation", "maintenance")
_NAME = re.compile(r"[a-z][a-z0-9_]{1,40}\Z", re.ASCII)


def scaffold(kind: str, name: str, folder: Path, stage: str = "operation") -> list[Path]:
    """Write the plugin's files into ``folder`` and return them.

    Raises:
        FileExistsError: there is something at ``folder`` already.
        ValueError: the name is no name for a plugin.
    """
    if not _NAME.match(name):
        raise ValueError(f"{name!r}: use lower case letters, digits and _, beginning with a letter")
    folder.mkdir(parents=True, exist_ok=False)
    written = []
    for template in sorted((TEMPLATES / kind).rglob("*.template")):
        target = folder / template.relative_to(TEMPLATES / kind).with_suffix("")
        target.parent.mkdir(parents=True, exist_ok=True)
        text = template.read_text("utf-8")
        target.write_text(text.replace("@NAME@", name).replace("@STAGE@", stage), "utf-8")
        written.append(target)
    return written


def register(kind: str, name: str, module: str, pyproject: Path) -> None:
    """Add the one line under the entry-point group of ``pyproject``."""
    group = f'[project.entry-points."servitwin.{kind}s"]\n'
    text = pyproject.read_text("utf-8")
    if group not in text:
        raise ValueError(f"{pyproject} has no {group.strip()}")
    pyproject.write_text(text.replace(group, f'{group}{name} = "{module}"\n'), "utf-8")


def main(arguments: list[str]) -> int:
    """Entry of ``tools/new_plugin``."""
    parser = argparse.ArgumentParser(prog="tools/new_plugin", description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    connector = kinds.add_parser("connector")
    service = kinds.add_parser("service")
    service.add_argument("stage", choices=STAGES)
    service.add_argument("--kind", dest="form", choices=SERVICE_KINDS, default="evaluator", help="what it does")
    for one in (connector, service):
        one.add_argument("name")
        one.add_argument("--into", type=Path, help="folder of a package of your own; you register it there yourself")
    options = parser.parse_args(arguments)
    stage = getattr(options, "stage", "")
    parts = ["connectors"] if options.kind == "connector" else ["services", stage]
    folder = (options.into or ROOT.joinpath("src", "servitwin", *parts)) / options.name
    try:
        form = getattr(options, "form", options.kind)
        for path in scaffold(form, options.name, folder, stage):
            print("wrote", path)
        if options.into is None:
            package = folder.parent / "__init__.py"
            if not package.exists():
                package.write_text(f'"""Services of the stage {stage}."""\n', "utf-8")
            module = ".".join(["servitwin", *parts, options.name, "plugin"])
            register(options.kind, options.name, module, ROOT / "pyproject.toml")
            print(f"registered {options.name} = {module!r} in pyproject.toml; now: pip install --no-deps -e .")
    except (FileExistsError, ValueError) as e:
        print(f"tools/new_plugin: {e}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
