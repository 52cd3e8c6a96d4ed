"""Work that never hurries gives way by niceness, and by its session where Linux groups processes by session."""

import subprocess
import sys
from pathlib import Path

import pytest

from servitwin.bootstrap.priority import NICENESS, give_way

GIVE_WAY = """
import os
from pathlib import Path
from servitwin.bootstrap.priority import give_way
give_way()
group = Path("/proc/self/autogroup")
print(os.nice(0), group.read_text().split()[-1] if group.exists() else "")
"""


def given_way() -> list[str]:
    """Niceness of a process of its own, and of its session, after it gave way."""
    command = [sys.executable, "-c", GIVE_WAY]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, start_new_session=True, check=True)
    return done.stdout.split()


def test_a_process_gives_way_to_the_others_of_its_session():
    assert int(given_way()[0]) >= NICENESS


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="this kernel does not group by session")
def test_its_session_gives_way_to_other_sessions():
    assert given_way()[1] == str(NICENESS)


def test_where_nothing_is_grouped_niceness_alone_counts(tmp_path, monkeypatch):
    lowered: list[int] = []
    monkeypatch.setattr("os.nice", lowered.append)
    give_way(tmp_path / "no" / "such" / "file")
    assert lowered == [NICENESS]
