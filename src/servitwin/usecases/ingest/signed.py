"""Is what a machine sent signed with its key, where its key demands that?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from servitwin.domain.error import Fault
from servitwin.domain.machine_key import is_demanded
from servitwin.domain.observation import CONNECTION
from servitwin.sdk.connector import Batch, DecodeFault
from servitwin.sdk.signed_payload import Signature, is_signed
from servitwin.usecases.ingest.twins import TwinSlot


def refuse_unsigned(
    batches: Sequence[Batch],
    slots: Mapping[str, TwinSlot | None],
    signature: Signature | None,
    payload: bytes,
    received: int,
) -> tuple[list[Batch], list[DecodeFault]]:
    """Batches that may be taken, and a fault for each that may not: it marks no session and makes no row.

    Args:
        batches: what the message says.
        slots: twins by id.
        signature: of the line before the payload.
        payload: what was signed.
        received: when the node took it (ns UTC): no date that the message gives itself decides.
    """
    kept, faults = [], []
    for batch in batches:
        slot = slots.get(batch.twin)
        why = None if slot is None else _why_not(batch, slot, signature, payload, received)
        if why is None:
            kept.append(batch)
        else:
            faults.append(DecodeFault(why, batch.twin))
    return kept, faults


def _why_not(
    batch: Batch,
    slot: TwinSlot,
    signature: Signature | None,
    payload: bytes,
    received: int,
) -> Fault | None:
    if not is_demanded(slot.keys, received) or batch.columns.keys() == {CONNECTION}:
        return None  # whether a machine is connected is the broker's word: a last will cannot be signed
    if signature is None:
        return _fault("missing", f"{batch.twin} signs what it sends, and this is not signed", "Sign it at the gateway")
    key = next((k for k in slot.keys if k.id == signature.key), None)
    if key is None:
        return _fault("key-unknown", f"{signature.key[:40]!r} is no key of {batch.twin}", "Register the key first")
    if not key.counts(received):
        revoked = key.revoked is not None and received >= key.revoked
        what = "was revoked" if revoked else "did not count yet"
        return _fault("key-revoked", f"The key {key.id} of {batch.twin} {what}", "Sign with the machine's present key")
    if not is_signed(key.public_key, batch.twin, payload, signature.signature):
        hint = "Sign the id of the twin, a line feed and the payload as it is sent; see docs/guides/connect.md"
        return _fault("wrong", "The signature does not fit the payload", hint)
    if batch.seq is None or list(batch.times) == [received]:  # it names no time and takes that of its receipt
        hint = "Give session, seq and time in each signed payload"
        return _fault("can-be-replayed", "Whoever has it could send it again: it lacks seq or time", hint)
    return None


def _fault(what: str, message: str, hint: str) -> Fault:
    return Fault(f"signature:{what}", message, hint, "signature")
