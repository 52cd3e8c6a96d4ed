"""Keep job sheets: steps ticked, parts taken from the shelf, closed with proof; the work order is closed with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from servitwin.domain.error import ConflictError, Fault, InvalidInputError, NotFoundError
from servitwin.domain.job_sheet import JobSheet, close_sheet, sheet_of, tick, use_part
from servitwin.domain.maintenance_task import MaintenanceTask
from servitwin.domain.party import Actor
from servitwin.domain.recommendation import Recommendation
from servitwin.domain.register import RegisterEntry
from servitwin.domain.spare_part import Reorder, SparePart, reorder
from servitwin.usecases.audit import Audit
from servitwin.usecases.authorise import Authoriser, not_permitted
from servitwin.usecases.keep_work_order import KeepWorkOrder, OrderChange
from servitwin.usecases.ports import Records

KIND, PARTS = "job-sheets", "spare-parts"


class Taken(msgspec.Struct, frozen=True):
    """The sheet after pieces were taken, and what is now to be done about the part."""

    sheet: JobSheet
    reorder: Reorder


class KeepJobSheet:
    """Job sheets of a provider, for its technicians and for who plans for it."""

    def __init__(
        self, records: Records, authoriser: Authoriser, orders: KeepWorkOrder, audit: Audit, now: Callable[[], int]
    ) -> None:
        self._records = records
        self._authoriser = authoriser
        self._orders = orders
        self._audit = audit
        self._now = now

    def all(self, actor: Actor, technician: str = "", *, closed: bool = False) -> list[JobSheet]:
        """Sheets of parties whose plans the caller may see; ``technician``: theirs alone."""
        parties = [p.id for p in self._records.parties() if self._authoriser.may_for_party(actor, "see_plan", p.id)]
        found = [msgspec.convert(e.body, JobSheet) for e in self._records.register_entries(KIND, parties)]
        return [s for s in found if (not technician or s.technician == technician) and (closed or not s.closed_at)]

    def one(self, actor: Actor, order: str) -> JobSheet:
        """The sheet of a work order.

        Raises:
            NotFoundError: ``job-sheet:unknown``.
        """
        return self._entry(actor, order)[1]

    def open(self, order: str, item: Recommendation, task: MaintenanceTask | None, actor: Actor) -> JobSheet:
        """A sheet for the order of a recommendation."""
        if task is None:
            sheet = JobSheet(order, item.twin, item.component, item.title, item.technician, item.task, item.id)
        else:
            sheet = sheet_of(task, item.task, order, item.technician, item.id)
        self._keep(sheet, item.provider, 1, actor, "open")
        return sheet

    def tick(self, actor: Actor, order: str, step: int, note: str = "") -> JobSheet:
        """A step of the procedure is done.

        Raises:
            NotFoundError, ConflictError, InvalidInputError: ``job-sheet:...``.
        """
        with self._records.together("job-sheets"):
            entry, sheet = self._entry(actor, order, write=True)
            changed = tick(sheet, step, actor.id, self._now(), note)
            self._keep(changed, entry.party, entry.revision + 1, actor, f"tick {step}")
        return changed

    def use(self, actor: Actor, order: str, part: str, quantity: int) -> Taken:
        """Pieces are taken from the shelf: its stock goes down, and what to order is said.

        Raises:
            NotFoundError: ``part:unknown``.
            ConflictError: ``part:not-enough`` if the shelf holds fewer.
        """
        with self._records.together("job-sheets"), self._records.together("registers"):
            entry, sheet = self._entry(actor, order, write=True)
            changed = use_part(sheet, part, quantity, actor.id, self._now())
            shelf = self._records.register_entry(PARTS, entry.party, part)
            if shelf is None or shelf.removed:
                raise NotFoundError(Fault("part:unknown", f"There is no part {part[:80]!r}", "See spare-parts", "part"))
            held = msgspec.convert(shelf.body, SparePart)
            if held.stock < quantity:
                message = f"The shelf holds {held.stock} of {held.name}"
                raise ConflictError(Fault("part:not-enough", message, "Count it, or order more", "quantity"))
            left = msgspec.structs.replace(held, stock=held.stock - quantity)
            now = self._now()
            body: dict[str, Any] = msgspec.to_builtins(left)
            self._records.add_register_entries(
                [RegisterEntry(PARTS, part, entry.party, shelf.revision + 1, now, actor.id, body)]
            )
            self._keep(changed, entry.party, entry.revision + 1, actor, f"use {quantity} {part}")
        return Taken(changed, reorder(left, (), now))

    def close(self, actor: Actor, order: str, case: str = "", proof: str = "", note: str = "") -> tuple[JobSheet, str]:
        """The work is done: the sheet and its work order end now. Gives the sheet and the provider.

        Raises:
            ConflictError: ``job-sheet:step-open`` while a critical step is open, ``work-order:...``.
            InvalidInputError: ``job-sheet:case-unknown`` if the case is none of the machine.
        """
        with self._records.together("job-sheets"):
            entry, sheet = self._entry(actor, order, write=True)
            closed = close_sheet(sheet, actor.id, self._now(), case, proof, note)
            if case and not any(c.id == case and c.twin == sheet.twin for c, _ in self._records.cases(id=case)):
                message = f"{sheet.twin} has no case {case[:80]!r}"
                raise InvalidInputError(Fault("job-sheet:case-unknown", message, "Take one of its open cases", "case"))
            # Raises where the caller may not close the order: then the sheet stays open too.
            self._orders.step(sheet.twin, order, OrderChange("close", text=note), actor)
            self._keep(closed, entry.party, entry.revision + 1, actor, "close")
        return closed, entry.party

    def _entry(self, actor: Actor, order: str, *, write: bool = False) -> tuple[RegisterEntry, JobSheet]:
        for party in self._records.parties():
            entry = self._records.register_entry(KIND, party.id, order)
            if entry is not None and self._authoriser.may_for_party(actor, "see_plan", party.id):
                sheet = msgspec.convert(entry.body, JobSheet)
                if write and not self._may_write(actor, party.id):
                    raise not_permitted("plan", party.id)
                return entry, sheet
        raise NotFoundError(
            Fault("job-sheet:unknown", f"There is no job sheet of order {order[:80]!r}", "List them", "order")
        )

    def _may_write(self, actor: Actor, party: str) -> bool:
        """Technicians of the party work on sheets; who plans for it may too."""
        own = actor.party == party and "technician" in actor.roles
        return own or self._authoriser.may_for_party(actor, "plan", party)

    def _keep(self, sheet: JobSheet, party: str, revision: int, actor: Actor, what: str) -> None:
        now = self._now()
        body: dict[str, Any] = msgspec.to_builtins(sheet)
        self._records.add_register_entries([RegisterEntry(KIND, sheet.order, party, revision, now, actor.id, body)])
        self._audit.note(actor, "job-sheet.step", sheet.order, {"twin": sheet.twin, "what": what})
        self._records.add_event("job-sheet", sheet.twin, now, {"order": sheet.order, "what": what})
