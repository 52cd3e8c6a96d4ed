"""The demo's contracts: a year up to the period that runs, signed by both parties, its planned work agreed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from servitwin.connectors.simulator.long_past import planned_work, stops_of
from servitwin.connectors.simulator.plant import MachineConfig, SimulatorConfig, past_range
from servitwin.domain.agreement import PartyKey, Signature, signed_text
from servitwin.domain.canonical_json import digest
from servitwin.domain.contract import Contract
from servitwin.domain.exclusion import Decision, Evidence, Exclusion
from servitwin.domain.instant import DAY, HOUR, MINUTE, NS
from servitwin.domain.settlement import contract_end, contract_start
from servitwin.formats.contract_file import read_contract
from servitwin.formats.signature import key_id
from servitwin.usecases.kept_plants import connections
from servitwin.usecases.ports import Records, SigningKeys

_SIGNED = ("crane-98", "mills-m10")


def add_demo_contracts(records: Records, keys: SigningKeys, folder: Path, now: int) -> list[str]:
    """Bring the contracts of the demo in, once; returns what to tell the visitor."""
    if records.contracts():
        return []
    told = []
    for file in sorted(folder.glob("*.yaml")):
        contract, faults = read_contract(file.read_text("utf-8"), file.name)
        if contract is None:
            raise ValueError(f"{file.name}: {faults[0]}")  # a file of ours: tests read it
        moved = _moved(contract, now)
        signed = moved.id in _SIGNED
        begin = contract_start(moved) - 20 * DAY
        records.add_contract(moved, digest(moved), begin if signed else now)
        told.append(f"{moved.id} ({'signed' if signed else 'a trial'})")
        if signed:
            _sign(records, keys, moved, begin)
            _claim(records, moved, now)
    return [f"demo contracts: {', '.join(told)}"] if told else []


def _moved(contract: Contract, now: int) -> Contract:
    """The contract over the year that ends with the settlement period that runs."""
    today = datetime.fromtimestamp(now // NS, UTC)
    months = 3 if contract.guarantee is not None and contract.guarantee.settle == "quarter" else 1
    year, month = today.year, (today.month - 1) // months * months + 1 + months
    year, month = (year, month) if month <= 12 else (year + 1, month - 12)
    return msgspec.structs.replace(contract, start=f"{year - 1:04}-{month:02}-01", end=f"{year:04}-{month:02}-01")


def _sign(records: Records, keys: SigningKeys, contract: Contract, at: int) -> None:
    whole = digest(contract)
    for party, by in ((contract.provider, "hanna"), (contract.customer, "petra")):
        public, signature = keys.sign(party, signed_text("contract", whole))
        records.save_party_key(PartyKey(key_id(public), party, public, at))
        records.add_signature(Signature(whole, party, key_id(public), signature, by, at))


def _claim(records: Records, contract: Contract, now: int) -> None:
    """Planned work of the past, accepted the day after; one claim of the last days waits for the customer."""
    machines = _machines(records, now)
    start, end = contract_start(contract), min(contract_end(contract), now)
    for twin in contract.machines:
        config, since, until = machines[twin]
        for number, (begin, over) in enumerate(planned_work(config, since, until)):
            if not start <= begin < over <= end:
                continue
            said = over + 2 * HOUR
            evidence = Evidence("work-order", f"WO-{config.seed}-{number:03}", "Planned maintenance, agreed beforehand")
            claim = Exclusion(
                f"{contract.id}-{twin}-{number:03}", contract.id, twin, "planned_work", begin, over, contract.provider,
                "hanna", said, "Planned maintenance", (evidence,),
            )  # fmt: skip
            records.add_exclusion(claim)
            if said + DAY < now:
                step = Decision(claim.id, 1, "accept", contract.customer, "petra", said + DAY)
                records.add_exclusion_step(step)
    config, since, until = machines[contract.machines[0]]
    failures = [(a, b) for a, b in stops_of(config, since, until) if start <= a and b <= end and b - a > HOUR]
    if contract.id == "crane-98" and failures:
        begin, over = failures[-1]
        middle = (begin + over) // 2
        records.add_exclusion(
            Exclusion(
                f"{contract.id}-access", contract.id, contract.machines[0], "access_refused", middle,
                middle + 24 * MINUTE, contract.provider, "timo", now - 6 * HOUR,
                "The technician waited 24 minutes at the gate of bay A",
                (Evidence("visit-report", "VR-2207", "Arrival and gate opened, signed by the gate"),),
            )
        )  # fmt: skip


def _machines(records: Records, now: int) -> dict[str, tuple[MachineConfig, int, int]]:
    """Configuration of each simulated machine, and the range of its long past."""
    found = {}
    for connection in connections(records):
        if connection.connector != "simulator":
            continue
        config = msgspec.convert(dict(connection.config), SimulatorConfig, strict=False)
        for machine in config.machines:
            found[machine.twin] = (machine, config)
    return {twin: (machine, *past_range(config, now)) for twin, (machine, config) in found.items()}
