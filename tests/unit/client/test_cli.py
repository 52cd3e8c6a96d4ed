"""The command line against a small node over HTTP: exit codes, JSON, what people read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_node import TOKEN
from typer.testing import CliRunner

from servitwin.cli.app import create_cli
from servitwin.cli.starters import Starters
from servitwin.connectors import recorded
from servitwin.connectors.recorded import KINDS, open_recording
from servitwin.domain.error import Fault

FIXTURES = Path(recorded.__file__).parent / "fixtures"


@pytest.fixture
def started():
    return []


@pytest.fixture
def run(node, started, monkeypatch):
    monkeypatch.setenv("SERVITWIN_TOKEN", TOKEN)
    starters = Starters(
        serve=lambda settings, as_json: started.append((settings, as_json)) or 0,
        check_files=lambda files: [Fault("a:b", "wrong", "mend it", file=str(f)) for f in files if "bad" in f.name],
        open_recording=open_recording,
        recording_kinds=tuple(KINDS),
    )
    app = create_cli(starters)
    runner = CliRunner()

    def call(*words, to=True):
        return runner.invoke(app, [*map(str, words), *(["--to", node.url] if to else [])])

    return call


def test_replay_ends_with_one_line_of_json(run):
    done = run("replay", "nist-sms", FIXTURES / "sms", "--machine", "Press02")
    assert done.exit_code == 0, done.output
    last = done.stdout.splitlines()[-1]
    assert json.loads(last) == {"read": 3, "published": 3, "stored": 3, "quarantined": 0, "repeated": 0}
    assert "registered twin press02" in done.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["replay", "nist-tapes", "."], "recording:kind-unknown"),
        (["replay", "nist-sms", "nowhere"], "recording:no-folder"),
        (["replay", "nist-sms", FIXTURES / "sms", "--speed", "fast"], "replay:speed"),
        (["state", "nobody"], "twin:unknown"),
        (["import", "nowhere.yaml"], "file:unreadable"),
        (["command", "mill", "start", "speed"], "cli:parameter"),
        (["twins", "--data", "x"], "cli:two-nodes"),
    ],
)
def test_wrong_use_is_exit_code_2_with_a_hint(run, words, code):
    done = run(*words)
    assert done.exit_code == 2, done.output
    assert f"[{code}]" in done.stderr
    if words[0] in ("state", "twins"):
        told = json.loads(run(*words, "--json").stderr)
        assert (told["code"], len(told["faults"])) == (code, 1)


def test_what_does_not_exist_is_not_offered(run):
    assert run("backup", "a", "b").exit_code == 2
    assert "backup" not in run("--help", to=False).stdout


def test_no_node_is_exit_code_1(run, tmp_path):
    done = run("twins", "--data", tmp_path, to=False)
    assert done.exit_code == 1
    assert "node:not-running" in done.stderr


def test_check_needs_no_node(run, tmp_path):
    for name in ("good.yaml", "bad.yaml"):
        (tmp_path / name).write_text("a: 1")
    assert run("check", tmp_path / "good.yaml", to=False).exit_code == 0
    done = run("check", tmp_path / "good.yaml", tmp_path / "bad.yaml", "--json", to=False)
    assert done.exit_code == 1
    assert [f["code"] for f in json.loads(done.stdout)["faults"]] == ["a:b"]


def test_command_has_the_exit_code_of_its_outcome(run):
    done = run("command", "mill", "set-speed", "speed=1200", "on=true", "mode=fast", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["parameters"] == {"speed": 1200.0, "on": True, "mode": "fast"}
    assert run("command", "mill", "jog").exit_code == 1


def test_simulate_breaks_and_mends(run, node):
    assert run("simulate", "fault", "mill", "bearing").exit_code == 0
    assert run("simulate", "fault", "mill", "bearing", "--off").exit_code == 0
    assert [(f["fault"], f["active"]) for f in node.simulated] == [("bearing", True), ("bearing", False)]
    assert "Bearing" in run("simulate", "list").stdout


def test_twins_and_quarantine_are_listed(run, node):
    node.twins = {f"mill-{k}": {} for k in range(3)}
    assert [t["id"] for t in json.loads(run("twins", "--json").stdout)] == ["mill-0", "mill-1", "mill-2"]
    assert "mill-2" in run("twins").stdout
    assert "1 x c:d" in run("quarantine", "list").stdout


def test_export_writes_the_file_whole_or_not_at_all(run, tmp_path):
    assert run("export", "mill", "--form", "parquet", "-o", tmp_path / "a").exit_code == 0
    assert (tmp_path / "a").read_bytes() == b"time,mill,parquet\n"
    assert run("export", "mill").stdout == "time,mill,csv\n"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_serve_hands_its_options_to_the_starter(run, started):
    words = ["serve", "--data", "d", "--port", 0, "--mqtt-port", 0, "--anonymous-role", "viewer", "--json"]
    words += ["--keep-days", 400, "--sync-interval", "always"]
    assert run(*words, to=False).exit_code == 0
    settings, as_json = started[0]
    assert (settings.data, settings.web.port, settings.bus.mqtt_port, as_json) == ("d", 0, 0, True)
    assert settings.web.anonymous_role == "viewer"
    assert (settings.retention_days, settings.bus.sync_interval) == (400, "always")
