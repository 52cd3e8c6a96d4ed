"""Verify a settlement without a server: its digest, its signatures, and every cent from the observations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from servitwin.domain.agreement import PartyKey, Signature
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import format_instant, parse_instant
from servitwin.domain.observation import Series
from servitwin.domain.settlement_inputs import SettlementInputs, cut_back, fingerprint, settle_inputs
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time_derive import signals_needed
from servitwin.formats.settlement_document import Document, differences, read_settlement, settlement_document
from servitwin.formats.signature import is_valid

ReadSeries = Callable[[str, str, SignalDefinition], Series | None]  # twin id, uid, signal -> what the file holds


class Verified(msgspec.Struct, frozen=True):
    """What was checked, in plain words; ``ok`` if nothing contradicts the settlement.

    ``proven`` is what the check shows; ``not_proven`` what it cannot show.
    """

    ok: bool
    settlement: str
    proven: tuple[str, ...]
    not_proven: tuple[str, ...]
    faults: tuple[Fault, ...]
    credit: str = ""
    currency: str = ""


def verify_settlement(content: bytes, read: ReadSeries | None, keys: Sequence[PartyKey] = ()) -> Verified:
    """Check a settlement document; with observations it is computed again from the beginning.

    ``keys``: public keys that the verifier trusts; without them signatures are named as not checked.
    """
    try:
        document, inputs = read_settlement(content)
    except InvalidInputError as e:
        return Verified(False, "", (), (), e.faults)
    title = f"{document['contract']} {document['period']['id']} revision {document['revision']}"
    proven = ["The document is whole: its content fits its digest"]
    missing: list[str] = []
    faults: list[Fault] = []
    _check_signatures(document, inputs, keys, proven, missing, faults)
    if read is None:
        missing.append("The amounts were not computed again: give the observations with --observations")
    else:
        _recompute(document, inputs, read, proven, faults)
    missing.append(
        "That the observations are what the machine's gateway sent: the settlement names their digests, "
        "compare them with your own copy"
    )
    credit = "" if faults else str(document["credit"])
    return Verified(not faults, title, tuple(proven), tuple(missing), tuple(faults), credit, document["currency"])


def _check_signatures(
    document: Document,
    inputs: SettlementInputs,
    keys: Sequence[PartyKey],
    proven: list[str],
    missing: list[str],
    faults: list[Fault],
) -> None:
    by_id = {k.id: k for k in keys}
    for plain in document["contract_signatures"]:
        signature = msgspec.convert(plain, Signature, strict=False)
        key = by_id.get(signature.key)
        if key is None:
            missing.append(f"Who signed the contract for {signature.party}: give its public key with --keys")
        elif signature.digest != document["contract_digest"] or not is_valid(signature, key.public_key, "contract"):
            message = f"The signature of {signature.party} does not stand under this contract"
            faults.append(Fault("signature:invalid", message, "Ask that party which contract it signed"))
        else:
            at = format_instant(signature.at)
            proven.append(f"{signature.party} signed {inputs.contract.reference} (key {signature.key}, {at})")


def _recompute(
    document: Document, inputs: SettlementInputs, read: ReadSeries, proven: list[str], faults: list[Fault]
) -> None:
    observed: dict[str, Mapping[str, Series]] = {}
    for machine in inputs.machines:
        definitions: dict[str, SignalDefinition] = {}
        for stretch in machine.types:
            if stretch.type is not None and stretch.type.states is not None:
                own = {s.name: s for s in stretch.type.signals}
                for name in signals_needed(stretch.type.states):
                    definitions[name] = own.get(name, SignalDefinition(name, "text"))
        observed[machine.twin] = _read(document, machine.twin, machine.uid, definitions, inputs, read, faults)
    if faults:
        return
    settled = settle_inputs(inputs, observed)
    again = settlement_document(inputs, observed, settled, (), document["revision"], document["corrects"])
    found = differences(document, again)
    if found:
        hint = "The settlement was not made from these inputs by this rule"
        faults.extend(Fault("settlement:differs", text, hint) for text in found)
        return
    count = sum(len(s) for series in observed.values() for s in series.values())
    proven.append(
        f"Computed again from {count} observations: every interval and the credit of "
        f"{document['credit']} {document['currency']} are the same"
    )


def _read(
    document: Document,
    twin: str,
    uid: str,
    definitions: Mapping[str, SignalDefinition],
    inputs: SettlementInputs,
    read: ReadSeries,
    faults: list[Fault],
) -> dict[str, Series]:
    found: dict[str, Series] = {}
    named = document["observations"].get(twin, {})
    for name, definition in definitions.items():
        expected = named.get(name)
        if expected is None:  # nothing was known of it
            continue
        series = read(twin, uid, definition)
        if series is None:
            faults.append(_missing(twin, name, expected))
            continue
        # An export may hold more: what came before the first observation that was read, or after the period.
        kept = cut_back(series, parse_instant(expected["first"]), inputs.end)
        found[name] = kept
        if fingerprint(kept) != expected["digest"]:
            faults.append(_other(twin, name, expected, kept))
    return found


def _missing(twin: str, name: str, expected: Mapping[str, object]) -> Fault:
    return Fault(
        "observations:missing",
        f"The file holds nothing of {twin} {name}, the settlement read {expected['count']} observations",
        f"Export it from {expected['first']}",
        f"{twin}.{name}",
    )


def _other(twin: str, name: str, expected: Mapping[str, object], found: Series) -> Fault:
    return Fault(
        "observations:differ",
        f"{twin} {name}: {len(found)} observations in the file, {expected['count']} in the settlement"
        if len(found) != expected["count"]
        else f"{twin} {name}: an observation was changed, its digest is not the one in the settlement",
        f"The settlement read from {expected['first']} to {expected['last']}; export that range, as it was known then",
        f"{twin}.{name}",
    )
