"""Brings a plant file into the records: again and again, changing only what differs, keeping all history."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from servitwin.domain.error import ConflictError, Fault, InvalidInputError
from servitwin.domain.party import Actor, Party
from servitwin.domain.requirement import Requirement
from servitwin.domain.twin import Dated, Twin, value_at
from servitwin.formats.plant import History, Plant, PlantTwin
from servitwin.formats.plant_file import Known, read_plant
from servitwin.usecases.audit import Audit
from servitwin.usecases.check_files import known_of
from servitwin.usecases.kept_plants import PLANTS, KeptPlant, kept_plants
from servitwin.usecases.ports import Records
from servitwin.usecases.register_types import Changed


class Imported(msgspec.Struct):
    """What an import did: ids of twins, ``party:ID``, ``calendar:NAME``, ``requirement:ID/NAME``, ``connections:ID``.

    Of requirements those alone that differ are told; one that was taken back is among ``changed``.
    """

    created: list[str] = []
    changed: list[str] = []
    unchanged: list[str] = []
    retired: list[str] = []


class ImportPlant:
    """Imports plants and saves single twins; ``changed("changed.twins")`` is called once if anything differs.

    A twin that leaves the file is retired, never deleted; one that comes back is in use again.
    """

    def __init__(
        self,
        records: Records,
        audit: Audit,
        changed: Changed,
        now: Callable[[], int],
        new_uid: Callable[[], str],
    ) -> None:
        self._records = records
        self._audit = audit
        self._changed = changed
        self._now = now
        self._new_uid = new_uid

    def import_plant(self, plant: Plant, actor: Actor) -> Imported:
        """Bring a plant in; nothing of it if one of its twins contradicts the records.

        Raises:
            ConflictError: each ``twin:simulated``, ``twin:serial-changed``, ``twin:serial-duplicate``, ``plant:cycle``.
        """
        now = self._now()
        kept = kept_plants(self._records)
        before = kept.get(plant.name, KeptPlant())
        present = {t.id: t for t in self._records.twins()}
        wanted = {t.id: self._merged(t, present.get(t.id), now) for t in plant.twins}
        _check({**present, **wanted}, present, wanted, now)
        result = Imported()
        with self._records.together():
            self._save_beside(plant, actor, result)
            for id, twin in wanted.items():
                self._save(twin, present.get(id), actor, result)
            for id in before.twins:
                if id not in wanted and id in present and present[id].retired is None:
                    self._retire(present[id], now, actor, result)
            named = {t.id: t.requirements for t in plant.twins if t.requirements}
            for id in dict.fromkeys([*named, *before.requirements]):
                uid = (wanted[id] if id in wanted else present[id]).uid
                self._demand(id, uid, named.get(id, ()), before.requirements.get(id, []), actor, result)
            self._keep(plant, kept, before, actor, result)
        if result.created or result.changed or result.retired:
            self._changed("changed.twins")
        return result

    def save_twin(self, id: str, body: Mapping[str, Any], actor: Actor) -> Twin:
        """Create or change one twin from a body as in a plant file.

        Raises:
            InvalidInputError: every fault of the body, with ``where`` as a path inside it.
            ConflictError: as :meth:`import_plant`.
        """
        calendar = body.get("calendar")
        has_calendar = isinstance(calendar, str) and self._records.calendar(calendar) is not None
        known = known_of(self._records)
        known = Known(known.types, known.parties, [str(calendar)] if has_calendar else (), known.twins)
        if "requirements" in body:
            hint = f"PUT /api/v1/twins/{id}/requirements/NAME for each of them"
            raise InvalidInputError(Fault("twin:requirements-apart", "They are saved one by one", hint, "requirements"))
        text = msgspec.json.encode({"plant": "one", "twins": {id: body}}).decode()
        plant, faults = read_plant(text, known=known)
        if plant is None:
            raise InvalidInputError([_inside(f, id) for f in faults])
        now = self._now()
        present = {t.id: t for t in self._records.twins()}
        twin = self._merged(plant.twins[0], present.get(id), now)
        _check({**present, id: twin}, present, {id: twin}, now)
        result = Imported()
        self._save(twin, present.get(id), actor, result)
        if not result.unchanged:
            self._changed("changed.twins")
        return twin

    # twins ----------------------------------------------------------------------------------------------------

    def _merged(self, twin: PlantTwin, present: Twin | None, now: int) -> Twin:
        old = present or Twin(self._new_uid(), twin.id, twin.kind, created=now)
        return msgspec.structs.replace(
            old,
            kind=twin.kind,
            title=twin.title,
            serial=twin.serial or old.serial,
            dtid=twin.dtid or old.dtid,
            commissioned=twin.commissioned if twin.commissioned is not None else old.commissioned,
            type=merged(old.type, twin.type, now) if twin.type.entries else old.type,
            owner=merged(old.owner, twin.owner, now),
            place=merged(old.place, twin.place, now),
            parent=merged(old.parent, twin.parent, now),
            calendar=twin.calendar,
            aggregates=twin.aggregates,
            retired=None,
        )

    def _save(self, twin: Twin, present: Twin | None, actor: Actor, result: Imported) -> None:
        if twin == present:
            result.unchanged.append(twin.id)
            return
        self._records.save_twin(twin)
        names = twin.__struct_fields__
        fields = [f for f in names if present is not None and getattr(twin, f) != getattr(present, f)]
        self._audit.note(actor, "twin.save", twin.id, {"fields": fields} if present else {"created": True})
        (result.changed if present else result.created).append(twin.id)

    def _demand(
        self, id: str, uid: str, named: Sequence[Requirement], before: Sequence[str], actor: Actor, result: Imported
    ) -> None:
        """Bring the requirements that the file adds to a twin; those that it no longer names are taken back."""
        present = {r.name: r for r in self._records.requirements(uid).get(uid, [])}
        names = {r.name for r in named}
        gone = [Requirement(n, "", "") for n in before if n in present and n not in names]
        for requirement in (*named, *gone):
            if present.get(requirement.name) != requirement:
                self._records.add_requirement(uid, requirement, self._now(), actor.id)
                detail = {"name": requirement.name, "formula": requirement.formula}
                self._audit.note(
                    actor, "requirement.save", id, detail if requirement.formula else {**detail, "removed": True}
                )
                _report(f"requirement:{id}/{requirement.name}", requirement.name not in present, False, result)

    def _retire(self, twin: Twin, now: int, actor: Actor, result: Imported) -> None:
        self._records.save_twin(msgspec.structs.replace(twin, retired=now))
        self._audit.note(actor, "twin.save", twin.id, {"fields": ["retired"]})
        result.retired.append(twin.id)

    # what stands beside the twins -----------------------------------------------------------------------------

    def _save_beside(self, plant: Plant, actor: Actor, result: Imported) -> None:
        parties: dict[str, Party] = {p.id: p for p in self._records.parties()}
        for party in plant.parties:
            old = parties.get(party.id)
            if old != party:
                self._records.save_party(party)
                self._audit.note(actor, "party.save", party.id)
            _report(f"party:{party.id}", old is None, old == party, result)
        for calendar in plant.calendars:
            present = self._records.calendar(calendar.name)
            if present != calendar:
                self._records.save_calendar(calendar)
                self._audit.note(actor, "calendar.save", calendar.name)
            _report(f"calendar:{calendar.name}", present is None, present == calendar, result)

    def _keep(
        self, plant: Plant, kept: dict[str, KeptPlant], before: KeptPlant, actor: Actor, result: Imported
    ) -> None:
        demanded = {t.id: [r.name for r in t.requirements] for t in plant.twins if t.requirements}
        new = KeptPlant(plant.title, sorted(t.id for t in plant.twins), list(plant.connections), demanded)
        if new == before:
            return
        text = msgspec.json.encode({**kept, plant.name: new}).decode()
        self._records.set_setting(PLANTS, text)
        detail = {"twins": len(new.twins), "connections": [c.name for c in new.connections]}
        self._audit.note(actor, "plant.import", plant.name, detail)
        if new.connections != before.connections:
            _report(f"connections:{plant.name}", not before.connections, False, result)
            self._changed("changed.connections")


def merged(old: tuple[Dated, ...], new: History, now: int) -> tuple[Dated, ...]:
    """A dated history after a file said ``new``.

    A value without dates holds from now on, if it is not already the one that holds; none at all ends what holds.
    Dated entries replace all from their first day on; what held before stays.
    """
    if not new.entries:
        return _moved(old, None, now) if value_at(old, now) is not None else old
    if not new.dated:
        value = new.entries[0].value
        if not old:
            return new.entries
        return old if value_at(old, now) == value else _moved(old, value, now)
    first = new.entries[0].start
    return _joined([*_until(old, first), *new.entries])


def _moved(old: tuple[Dated, ...], value: str | None, at: int) -> tuple[Dated, ...]:
    return tuple(_until(old, at)) if value is None else (*_until(old, at), Dated(value, at))


def _until(old: tuple[Dated, ...], at: int) -> list[Dated]:
    return [e if e.end is not None and e.end <= at else Dated(e.value, e.start, at) for e in old if e.start < at]


def _joined(entries: list[Dated]) -> tuple[Dated, ...]:
    found: list[Dated] = []
    for entry in entries:
        last = found[-1] if found else None
        if last is not None and last.value == entry.value and last.end == entry.start:
            found[-1] = Dated(last.value, last.start, entry.end)
        else:
            found.append(entry)
    return tuple(found)


def _report(name: str, is_new: bool, is_same: bool, result: Imported) -> None:
    (result.created if is_new else result.unchanged if is_same else result.changed).append(name)


def _inside(fault: Fault, id: str) -> Fault:
    place = fault.where.removeprefix(f"twins.{id}").removeprefix(".")
    return Fault(fault.code, fault.message, fault.hint, place)


# contradictions to the records ------------------------------------------------------------------------------


def _check(all_twins: Mapping[str, Twin], present: Mapping[str, Twin], wanted: Mapping[str, Twin], now: int) -> None:
    faults = [
        *_simulated(present, wanted),
        *_changed_serials(present, wanted),
        *_duplicate_serials(all_twins, wanted),
        *_rings(all_twins, wanted, now),
    ]
    if faults:
        raise ConflictError(faults)


def _simulated(present: Mapping[str, Twin], wanted: Mapping[str, Twin]) -> list[Fault]:
    return [
        Fault(
            "twin:simulated",
            f"The twin {id!r} runs the model of the controller {present[id].simulates}: it is no machine",
            "Give the machine another id",
            f"twins.{id}",
        )
        for id in wanted
        if id in present and present[id].simulates
    ]


def _changed_serials(present: Mapping[str, Twin], wanted: Mapping[str, Twin]) -> list[Fault]:
    return [
        Fault(
            "twin:serial-changed",
            f"The twin {id!r} has the serial number {present[id].serial!r}, not {twin.serial!r}",
            "An id stays with its machine: give the new machine a new id",
            f"twins.{id}.serial",
        )
        for id, twin in wanted.items()
        if id in present and present[id].serial and present[id].serial != twin.serial
    ]


def _duplicate_serials(all_twins: Mapping[str, Twin], wanted: Mapping[str, Twin]) -> list[Fault]:
    holders: dict[tuple[str, str], list[str]] = {}
    for id, twin in all_twins.items():
        for name in {e.value.partition("@")[0] for e in twin.type} if twin.serial else ():
            holders.setdefault((name, twin.serial), []).append(id)
    return [
        Fault(
            "twin:serial-duplicate",
            f"The twins {' and '.join(repr(i) for i in ids)} have the serial number {serial!r} and the same type",
            "A serial number belongs to one machine",
            f"twins.{ids[-1]}.serial",
        )
        for (_, serial), ids in holders.items()
        if len(ids) > 1 and any(i in wanted for i in ids)
    ]


def _rings(all_twins: Mapping[str, Twin], wanted: Mapping[str, Twin], now: int) -> list[Fault]:
    faults = []
    for id, twin in wanted.items():
        for at in {now, *(e.start for e in twin.parent)}:
            above, seen = value_at(twin.parent, at), {id}
            while above is not None and above not in seen and above in all_twins:
                seen.add(above)
                above = value_at(all_twins[above].parent, at)
            if above == id:
                message = f"The twin {id!r} would be part of itself through {', '.join(sorted(seen))}"
                faults.append(Fault("plant:cycle", message, "Remove one `part_of`", f"twins.{id}.part_of"))
                break
    return faults
