"""The file of a passed release: its gate's record, and the signed statement with its place in the log."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from servitwin.domain.agreement import signed_text
from servitwin.domain.error import ConflictError, Fault
from servitwin.domain.release import Release
from servitwin.formats.signature import key_id
from servitwin.proof.file.joint_path import hidden_of_paths
from servitwin.proof.file.proof_file import cosigned_part, head_part
from servitwin.proof.file.wire import canonical, digest, hexes
from servitwin.proof.log.catalogue import places_of_kinds
from servitwin.proof.log.head import read_head
from servitwin.proof.log.statement import glance
from servitwin.usecases.log_ports import HeadFiles, LogReader
from servitwin.usecases.ports import Files, Records, SigningKeys
from servitwin.usecases.prove_case import cosigned_heads, head_of

FORMAT = "servitwin-release@1"


class ReleaseFile:
    """Writes files of releases from the log."""

    def __init__(
        self,
        records: Records,
        files: Files,
        log: LogReader,
        heads: HeadFiles,
        keys: SigningKeys,
        operator: Callable[[], str],
    ) -> None:
        self._records, self._files, self._log, self._heads = records, files, log, heads
        self._keys, self._operator = keys, operator

    def write(self, release: Release) -> bytes:
        """The file, sealed by the operator of the node.

        Raises:
            ConflictError: ``release:not-passed``, ``release:log-waits`` while the statement is on its way.
        """
        gate = next((g for g in self._records.gates(release.id) if g.statement), None)
        if gate is None:
            raise ConflictError(Fault("release:not-passed", f"{release.id} has not passed the gate", "See its gate"))
        place, raw = self._records.statement_place(gate.statement), self._heads.head()
        record = self._files.get(gate.record)
        head = None if raw is None else read_head(raw)
        if place is None or head is None or head.head.size <= place or record is None:
            fault = Fault("release:log-waits", "The log has not taken the statement yet", "Try again in a few seconds")
            raise ConflictError(fault)
        size = head.head.size
        catalogue = self._log.catalogue()
        keys = [i for i in places_of_kinds(catalogue, "key", "key-revoked") if i < size]
        taken = [
            i
            for i in places_of_kinds(catalogue, "release-withdrawn")
            if i < size and glance(self._log.entry(i)).statement.body.get("release") == release.id
        ]
        shown = sorted({0, place, *keys, *taken})
        content = {
            "release": FORMAT,
            "record": msgspec.json.decode(record),
            "statements": {
                "entries": [{"index": i, "entry": msgspec.json.decode(self._log.entry(i))} for i in shown],
                "hashes": hexes(hidden_of_paths(size, {i: self._log.inclusion(i, size) for i in shown})),
            },
            "log": {
                "head": head_part(head_of(head)),
                "cosigned": [cosigned_part(c) for c in cosigned_heads(self._heads, self._log, size)],
            },
        }
        public, signature = self._keys.sign(self._operator(), signed_text("proof", digest(content)))
        return canonical({**content, "seal": {"key": key_id(public), "signature": signature}})
