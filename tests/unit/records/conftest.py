"""A records database for each test: SQLite always, PostgreSQL where its server is installed."""

import shutil
import signal
import socket
import subprocess
import time
from glob import glob
from pathlib import Path

import pytest
import sqlalchemy as sa

from servitwin.engines.records import SqlRecords, migrate


def _postgres_bin() -> Path | None:
    places = sorted(glob("/usr/lib/postgresql/*/bin/postgres"), reverse=True)
    return Path(places[0]).parent if places else None


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory):
    """URL of a fresh PostgreSQL server on a free local port."""
    pytest.importorskip("pg8000", reason="PostgreSQL tests need the driver pg8000")
    folder = _postgres_bin()
    if folder is None:
        pytest.skip("PostgreSQL tests need its server (Debian package postgresql)")
    root = tmp_path_factory.mktemp("postgres")
    data = root / "data"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    as_user = []
    if Path("/proc/self").owner() == "root":  # the server refuses to run as root
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        for parent in (root, *root.parents[:3]):
            parent.chmod(parent.stat().st_mode | 0o055)
        shutil.chown(root, "postgres", "postgres")
    made = subprocess.run(
        [*as_user, str(folder / "initdb"), "-D", str(data), "-A", "trust", "-U", "tests"],
        check=False, cwd=root, capture_output=True, text=True,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    options = ["-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"]
    with (root / "log").open("wb") as log:
        server = subprocess.Popen(
            [*as_user, str(folder / "postgres"), "-D", str(data), *options], cwd=root, stdout=log, stderr=log
        )
    url = f"postgresql+pg8000://tests@127.0.0.1:{port}/postgres"
    try:
        _wait_until_it_answers(url, root / "log")
        yield url
    finally:
        server.send_signal(signal.SIGQUIT)  # the server's own immediate stop
        server.wait(30)


def _wait_until_it_answers(url, log):
    engine = sa.create_engine(url)
    for _ in range(200):
        try:
            engine.connect().close()
            break
        except sa.exc.DBAPIError:
            time.sleep(0.1)
    else:
        pytest.fail(f"PostgreSQL did not start: {log.read_text()}")
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/records.db"
    server = request.getfixturevalue("postgres_url")
    name = "t" + str(abs(hash(request.node.nodeid)))
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.removesuffix("/postgres") + "/" + name


@pytest.fixture
def records(url):
    migrate(url)
    opened = SqlRecords(url)
    yield opened
    opened.close()
