"""House rules that machines can see: file length, machine paths, registry addresses, empty names, broken links."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

LONGEST = 400
_PATH = re.compile(r"(?:^|[^a-zA-Z0-9_.-])/(?:work|root|farm|home)/[a-z]")
_HOST = re.compile(
    "|".join(("files[.]pythonhosted", "pypi[.]org/simple", "registry[.]npmjs", "deb[.]debian", '"resolved": *"http'))
)
_NAME = re.compile(r"(?:^|/)(?:utils?|helpers?|misc|common)\.(?:py|tsx?)$")
_MANAGER = re.compile(r"^class \w*Manager\b", re.MULTILINE)
_CODE = re.compile("`[^`\n]*`")
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")
_CODE = re.compile(r"`[^`\n]+`")  # a formula such as always[a, b](p) looks like a link
_TEXT = {".py", ".ts", ".tsx", ".md", ".toml", ".yaml", ".yml", ".json", ".css", ".html", ".sh", ".c", ".lock", ""}


def tracked() -> list[Path]:
    """Files that git tracks or would track."""
    out = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], check=True, capture_output=True, text=True
    ).stdout
    return [p for line in out.splitlines() if (p := Path(line)).is_file()]


def faults_of(path: Path) -> list[str]:
    """What is against the house rules in one file."""
    faults = []
    if _NAME.search(path.as_posix()):
        faults.append("name says nothing: name it after what it holds")
    if path.suffix not in _TEXT or path.name in {"LICENSE", "house_rules.py"}:
        return faults
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        return faults
    lines = text.count("\n") + 1
    generated = path.name.endswith((".gen.ts", ".d.ts"))
    if path.suffix in {".py", ".ts", ".tsx"} and lines > LONGEST and not generated:
        faults.append(f"{lines} lines, more than {LONGEST}: split it by noun")
    for number, line in enumerate(text.splitlines(), 1):
        if _PATH.search(line) and "://" not in line:
            faults.append(f"line {number}: path of a machine")
        if _HOST.search(line):
            faults.append(f"line {number}: address of a package registry")
    if path.suffix == ".py" and _MANAGER.search(text):
        faults.append("a class called ...Manager: say what it does")
    if path.suffix == ".md":
        faults += [f"broken link: {t}" for t in _LINK.findall(_CODE.sub("", text)) if not (path.parent / t).exists()]
    return faults


def main() -> int:
    """Print faults, one a line; 1 if there are any."""
    found = [f"{path}: {fault}" for path in tracked() for fault in faults_of(path)]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
