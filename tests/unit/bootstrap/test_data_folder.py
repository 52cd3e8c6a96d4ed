"""The data folder: one holder, one version, private files, exactly the recorded children ended."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from servitwin.bootstrap.children import end_recorded, start_ticks
from servitwin.bootstrap.data_folder import (
    FOLDER_VERSION,
    Address,
    DataFolder,
    RecordedChild,
    read_address,
)
from servitwin.domain.error import ConflictError, InvalidInputError, UnavailableError


def test_two_instances_on_one_folder_are_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    first, second = DataFolder(tmp_path / "data"), DataFolder(tmp_path / "data")
    first.take()
    with pytest.raises(ConflictError) as refused:
        second.take()
    assert refused.value.fault.code == "data:in-use"
    assert str(os.getpid()) in refused.value.fault.message
    first.release()
    second.take()
    second.release()


def test_a_folder_of_a_newer_version_is_refused_untouched_and_unlocked(tmp_path: Path) -> None:
    data = tmp_path / "data"
    folder = DataFolder(data)
    folder.take()
    folder.release()
    (data / "VERSION").write_text(f"{FOLDER_VERSION + 1}\n")
    with pytest.raises(InvalidInputError) as refused:
        folder.take()
    assert refused.value.fault.code == "data:newer-version"
    assert (data / "VERSION").read_text() == f"{FOLDER_VERSION + 1}\n"
    (data / "VERSION").write_text(f"{FOLDER_VERSION}\n")
    assert DataFolder(data).take() == FOLDER_VERSION


@pytest.mark.parametrize("word", ["", "one", "-1", "1.5"])
def test_an_unreadable_version_is_said_plainly(tmp_path: Path, word: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "VERSION").write_text(word)
    with pytest.raises(InvalidInputError) as refused:
        DataFolder(data).take()
    assert refused.value.fault.code == "data:version-unreadable"


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("years of work")
    with pytest.raises(InvalidInputError) as refused:
        DataFolder(tmp_path).take()
    assert refused.value.fault.code == "data:not-a-data-folder"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["thesis.doc"]


def test_address_and_secrets_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.take()
    address = Address("http://127.0.0.1:1", "mqtt://127.0.0.1:2", "nats://127.0.0.1:3", "token", 4)
    folder.write_address(address)
    secret = folder.secret("internal")
    assert folder.secret("internal") == secret
    for path in (folder.path / "run" / "address.json", folder.path / "secrets" / "internal"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert read_address(folder.path) == address
    folder.release()
    with pytest.raises(UnavailableError) as gone:
        read_address(folder.path)
    assert gone.value.fault.code == "node:not-running"


def test_only_the_recorded_process_is_ended_never_a_newer_one_with_its_number() -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        started = start_ticks(sleeper.pid)
        assert started is not None
        assert end_recorded([RecordedChild("other", sleeper.pid, started - 1)]) == []
        assert sleeper.poll() is None
        assert end_recorded([RecordedChild("own", sleeper.pid, started)]) == ["own"]
        assert sleeper.wait(10) != 0
    finally:
        sleeper.kill()
        sleeper.wait()
