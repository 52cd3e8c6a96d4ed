"""Contracts with their signatures, and what is said, claimed, accepted and settled under them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select, update

from servitwin.domain.agreement import Acceptance, Agreement, PartyKey, Signature, Withdrawal
from servitwin.domain.contract import Contract
from servitwin.domain.error import ConflictError, Fault
from servitwin.domain.exclusion import Decision, Exclusion
from servitwin.domain.reason import Reason
from servitwin.domain.work_order import OPEN_END, WorkOrder
from servitwin.engines.records import contract_tables as t
from servitwin.engines.records.database import add
from servitwin.engines.records.part import Part, decode, encode


class ContractRecords(Part):
    """Rows are added and never changed but for a key that is revoked; a correction is a new row."""

    def add_contract(self, contract: Contract, digest: str, added: int) -> None:
        """Keep a version; the same content again changes nothing.

        Raises:
            ConflictError: ``contract:version-exists`` if that version is there with other content.
        """
        row = {
            "id": contract.id,
            "version": contract.version,
            "digest": digest,
            "provider": contract.provider,
            "customer": contract.customer,
            "added": added,
            "body": encode(contract),
        }
        with self._database.write() as connection:
            if add(connection, t.contracts, row):
                return
            c = t.contracts.c
            same = connection.execute(
                select(c.digest).where(c.id == contract.id, c.version == contract.version)
            ).scalar()
        if same != digest:
            raise ConflictError(
                Fault(
                    "contract:version-exists",
                    f"{contract.reference} is there with other content",
                    "What is agreed is not edited: raise the version",
                    "version",
                )
            )

    def contracts(self, party: str = "") -> list[Agreement]:
        """Every version of every contract of a party (empty: of all), by id and version."""
        c = t.contracts.c
        query = select(c.digest, c.added, c.body).order_by(c.id, c.version)
        if party:
            query = query.where(or_(c.provider == party, c.customer == party))
        with self._database.read() as connection:
            rows = connection.execute(query).all()
            signed: dict[str, list[Signature]] = {}
            s = t.signatures.c
            for row in connection.execute(select(s.digest, s.body).order_by(s.at, s.party)):
                signed.setdefault(row.digest, []).append(decode(row.body, Signature))
            w = t.withdrawals.c
            ended = {r.digest: decode(r.body, Withdrawal) for r in connection.execute(select(w.digest, w.body))}
        return [
            Agreement(decode(r.body, Contract), r.digest, r.added, tuple(signed.get(r.digest, ())), ended.get(r.digest))
            for r in rows
        ]

    def add_signature(self, signature: Signature) -> bool:
        """Keep a signature; False if that party has signed the document already."""
        row = {"digest": signature.digest, "party": signature.party, "at": signature.at, "body": encode(signature)}
        with self._database.write() as connection:
            return add(connection, t.signatures, row)

    def add_withdrawal(self, withdrawal: Withdrawal) -> bool:
        """Keep that an offer is over; False if it was already."""
        row = {"digest": withdrawal.digest, "at": withdrawal.at, "body": encode(withdrawal)}
        with self._database.write() as connection:
            return add(connection, t.withdrawals, row)

    def signatures_of(self, digest: str) -> list[Signature]:
        """Signatures under a document, oldest first."""
        s = t.signatures.c
        with self._database.read() as connection:
            bodies = connection.execute(select(s.body).where(s.digest == digest).order_by(s.at, s.party)).scalars()
            return [decode(b, Signature) for b in bodies]

    def save_party_key(self, key: PartyKey) -> None:
        """Keep a public key, or the instant from which on it is revoked; a revocation is not taken back."""
        c = t.party_keys.c
        with self._database.write() as connection:
            add(connection, t.party_keys, {n: getattr(key, n) for n in key.__struct_fields__})
            if key.revoked is not None:
                revoke = update(t.party_keys).where(c.id == key.id, c.revoked.is_(None)).values(revoked=key.revoked)
                connection.execute(revoke)

    def party_keys(self, party: str = "") -> list[PartyKey]:
        """Public keys of a party (empty: of all), oldest first."""
        c = t.party_keys.c
        query = select(t.party_keys).order_by(c.since, c.id)
        if party:
            query = query.where(c.party == party)
        with self._database.read() as connection:
            return [PartyKey(r.id, r.party, r.public_key, r.since, r.revoked) for r in connection.execute(query)]

    def add_reason(self, reason: Reason) -> None:
        """Keep what somebody said."""
        row = {
            "id": reason.id, "twin": reason.twin, "start_ns": reason.start, "end_ns": reason.end, "at": reason.at,
            "body": encode(reason),
        }  # fmt: skip
        with self._database.write() as connection:
            add(connection, t.reasons, row)

    def reasons(self, twins: Sequence[str], start: int, end: int) -> list[Reason]:
        """What was said about machines (ids) in [start, end), in the order in which it was said."""
        c = t.reasons.c
        query = select(c.body).where(c.twin.in_(twins), c.start_ns < end, c.end_ns > start).order_by(c.at, c.id)
        with self._database.read() as connection:
            return [decode(b, Reason) for b in connection.execute(query).scalars()]

    def add_work_order(self, step: WorkOrder) -> bool:
        """Keep a step of a work order; False if somebody else wrote the step of that number first."""
        row = {
            "id": step.id, "number": step.number, "twin": step.twin, "start_ns": step.start,
            "end_ns": OPEN_END if step.end is None else step.end, "at": step.at, "body": encode(step),
        }  # fmt: skip
        with self._database.write() as connection:
            return add(connection, t.work_orders, row)

    def work_orders(self, twins: Sequence[str], start: int, end: int) -> list[WorkOrder]:
        """All steps of the orders of machines (ids) that have said to meet [start, end); by id and number."""
        c = t.work_orders.c
        meeting = select(c.id).where(c.twin.in_(twins), c.start_ns < end, c.end_ns > start)
        query = select(c.body).where(c.id.in_(meeting)).order_by(c.id, c.number)
        return self._all(query, WorkOrder)

    def add_exclusion(self, exclusion: Exclusion) -> None:
        """Keep a claim."""
        row = {"id": exclusion.id, "contract": exclusion.contract, "at": exclusion.at, "body": encode(exclusion)}
        with self._database.write() as connection:
            add(connection, t.exclusions, row)

    def exclusions(self, contract: str = "") -> list[tuple[Exclusion, list[Decision]]]:
        """Claims of a contract (empty: of all) with their steps, oldest first."""
        c, s = t.exclusions.c, t.exclusion_steps.c
        query = select(c.id, c.body).order_by(c.at, c.id)
        steps_query = (
            select(s.exclusion, s.body).join(t.exclusions, c.id == s.exclusion).order_by(s.exclusion, s.number)
        )
        if contract:
            query, steps_query = query.where(c.contract == contract), steps_query.where(c.contract == contract)
        steps: dict[str, list[Decision]] = {}
        with self._database.read() as connection:
            for row in connection.execute(steps_query):
                steps.setdefault(row.exclusion, []).append(decode(row.body, Decision))
            rows = connection.execute(query).all()
        return [(decode(r.body, Exclusion), steps.get(r.id, [])) for r in rows]

    def add_exclusion_step(self, step: Decision) -> bool:
        """Keep a step; False if somebody else wrote the step of that number first."""
        row = {"exclusion": step.exclusion, "number": step.number, "at": step.at, "body": encode(step)}
        with self._database.write() as connection:
            return add(connection, t.exclusion_steps, row)

    def add_acceptance(self, step: Acceptance) -> bool:
        """Keep a step of a machine's acceptance; False if somebody else wrote the step of that number first."""
        row = {
            "contract": step.contract, "twin": step.twin, "number": step.number, "at": step.at, "body": encode(step),
        }  # fmt: skip
        with self._database.write() as connection:
            return add(connection, t.acceptances, row)

    def acceptances(self, contract: str) -> list[Acceptance]:
        """Steps of acceptance under a contract, in order."""
        c = t.acceptances.c
        query = select(c.body).where(c.contract == contract).order_by(c.twin, c.number)
        return self._all(query, Acceptance)

    def add_settlement(self, contract: str, period: str, revision: int, digest: str, at: int, body: bytes) -> bool:
        """Keep a settlement as it was written; False if that revision is there."""
        row = {
            "contract": contract, "period": period, "revision": revision, "digest": digest, "at": at, "body": body,
        }  # fmt: skip
        with self._database.write() as connection:
            return add(connection, t.settlements, row)

    def settlements(self, contract: str = "", period: str = "") -> list[dict[str, Any]]:
        """Settlements in order, without their content: contract, period, revision, digest, at."""
        c = t.settlements.c
        query = select(c.contract, c.period, c.revision, c.digest, c.at).order_by(c.contract, c.period, c.revision)
        if contract:
            query = query.where(c.contract == contract)
        if period:
            query = query.where(c.period == period)
        with self._database.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def settlement(self, contract: str, period: str, revision: int) -> bytes | None:
        """A settlement's bytes, as they were written."""
        c = t.settlements.c
        query = select(c.body).where(c.contract == contract, c.period == period, c.revision == revision)
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def _all(self, query: Any, kind: type[Any]) -> list[Any]:
        with self._database.read() as connection:
            return [decode(b, kind) for b in connection.execute(query).scalars()]
