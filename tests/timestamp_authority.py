"""A time-stamp authority on 127.0.0.1: OpenSSL answers, certificates are made for the test."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CONFIGURATION = """[tsa]
default_tsa = one
[one]
dir = {folder}
serial = {folder}/serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """Root and signing certificate in a folder; ``days`` are those in which the signing certificate is valid."""

    def __init__(self, folder: Path, *, days: tuple[int, int] = (-1, 30)) -> None:
        if shutil.which("openssl") is None:
            pytest.skip("no OpenSSL here: run tools/install_system_packages")
        folder.mkdir()
        self.folder = folder
        today = dt.datetime.now(dt.UTC)
        keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
        root = (
            x509.CertificateBuilder().subject_name(_name("Root")).issuer_name(_name("Root"))
            .public_key(keys[0].public_key()).serial_number(1)
            .not_valid_before(today - dt.timedelta(days=400)).not_valid_after(today + dt.timedelta(days=400))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(keys[0], hashes.SHA256())
        )  # fmt: skip
        signer = (
            x509.CertificateBuilder().subject_name(_name("Clock")).issuer_name(root.subject)
            .public_key(keys[1].public_key()).serial_number(2)
            .not_valid_before(today + dt.timedelta(days=days[0])).not_valid_after(today + dt.timedelta(days=days[1]))
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
            .sign(keys[0], hashes.SHA256())
        )  # fmt: skip
        self.roots = root.public_bytes(serialization.Encoding.PEM)
        (folder / "root.pem").write_bytes(self.roots)
        (folder / "signer.pem").write_bytes(signer.public_bytes(serialization.Encoding.PEM))
        form = serialization.PrivateFormat.PKCS8
        (folder / "key.pem").write_bytes(
            keys[1].private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        )
        (folder / "serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(CONFIGURATION.format(folder=folder))
        self._one_at_a_time = threading.Lock()

    def answer(self, query: bytes) -> bytes:
        """What OpenSSL answers to a ``TimeStampReq``."""
        with self._one_at_a_time:
            asked = self.folder / "query.tsq"
            asked.write_bytes(query)
            command = ["openssl", "ts", "-reply", "-config", str(self.folder / "tsa.cnf"), "-section", "one"]
            command += ["-queryfile", str(asked), "-signer", str(self.folder / "signer.pem")]
            done = subprocess.run([*command, "-inkey", str(self.folder / "key.pem")], capture_output=True, check=False)
            assert done.stdout, done.stderr.decode()
            return done.stdout


class Served:
    """An authority over HTTP; ``answer`` may be replaced by one that misbehaves: status and body."""

    def __init__(self, authority: Authority) -> None:
        self.answer: Callable[[bytes], tuple[int, bytes]] = lambda query: (200, authority.answer(query))
        self.types: list[str] = []
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = self.rfile.read(int(self.headers["Content-Length"]))
                served.types.append(self.headers["Content-Type"])
                status, body = served.answer(query)
                self.send_response(status)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/tsr"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Served:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
