"""Replays of counterexamples: who may ask for one, the simulated machine that it needs, and where it stands."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec

from servitwin.domain.controller_replay import ControllerReplay
from servitwin.domain.error import ConflictError, Fault, InvalidInputError, NotFoundError, RefusedError
from servitwin.domain.kept_controller import KeptController
from servitwin.domain.party import Actor
from servitwin.domain.twin import TWIN_ID, Dated, Twin
from servitwin.proof.controller.drive import Drive
from servitwin.proof.controller.report import Answer, Counterexample
from servitwin.usecases.audit import Audit
from servitwin.usecases.authorise import Authoriser
from servitwin.usecases.check_controller import Checked, read
from servitwin.usecases.keep_controller import KeepController
from servitwin.usecases.ports import Files, Records

MOST_WAITING = 20
LONGEST_S = 600.0  # that a replay may take
SLOWEST, FASTEST = 0.2, 50.0  # steps each second


class ReplayAsked(msgspec.Struct, frozen=True):
    """A property, the version whose run gives the inputs (None: the one that is run), and steps each second."""

    property: str
    inputs_of: int | None = None
    pace: float = 2.0


class ReplayController:
    """Replays for one caller at a time."""

    def __init__(
        self,
        records: Records,
        files: Files,
        keeper: KeepController,
        authoriser: Authoriser,
        audit: Audit,
        now: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._records = records
        self._files = files
        self._keeper = keeper
        self._authoriser = authoriser
        self._audit = audit
        self._now = now
        self._new_id = new_id

    def ask(self, actor: Actor, reference: str, asked: ReplayAsked) -> tuple[ControllerReplay, bool]:
        """Let a replay wait for its turn; the model of ``reference`` is run.

        Returns:
            The replay, and whether a twin for the simulated machine was made for it.

        Raises:
            NotFoundError: ``controller:unknown``, ``controller:no-run`` where no check found a run for the property.
            RefusedError: ``access:not-permitted``, or ``controller:too-many-replays`` while many wait.
            InvalidInputError: ``controller:property-unknown``, ``controller:other-inputs``,
                ``controller:inputs-not-allowed``, ``controller:replay-too-long``.
            ConflictError: ``twin:id-taken``.
        """
        kept = self._keeper.one(actor, reference)
        if not self._keeper.may_check(actor, kept):
            hint = "Ask who configures the machine"
            raise RefusedError(Fault("access:not-permitted", f"You may not replay {kept.reference}", hint))
        controller = read(self._keeper.text(kept))
        if not any(p.name == asked.property for p in controller.properties):
            message = f"{kept.reference} has no property {asked.property[:100]!r}"
            raise InvalidInputError(
                Fault("controller:property-unknown", message, "GET /api/v1/controllers", "property")
            )
        version = kept.version if asked.inputs_of is None else asked.inputs_of
        check, run = self._run(actor, kept.name, version, asked.property)
        positions = sum(1 for _ in Drive(controller, run).positions())  # refused here, where somebody can be told
        if positions / asked.pace > LONGEST_S:
            message = f"{positions} steps at {asked.pace:g} a second take longer than {LONGEST_S:g} s"
            raise InvalidInputError(Fault("controller:replay-too-long", message, "Raise the pace", "pace"))
        with self._records.together("controller-replays"):
            if len(self._records.controller_replays("waiting", MOST_WAITING)) >= MOST_WAITING:
                fault = Fault("controller:too-many-replays", f"{MOST_WAITING} replays wait already", "Try again later")
                raise RefusedError(fault)
            twin, fresh = self._twin(actor, kept)
            replay = ControllerReplay(
                self._new_id(), kept.name, kept.version, asked.property, version, check, twin.uid, asked.pace,
                positions, self._now(), actor.id,
            )  # fmt: skip
            self._records.save_controller_replay(replay)
            self._audit.note(actor, "controller.replay", kept.reference, {"replay": replay.id, "twin": twin.id})
        return replay, fresh

    def one(self, actor: Actor, id: str) -> ControllerReplay:
        """A replay of a controller that the caller may read, shown by a simulated machine that it may read.

        Raises:
            NotFoundError: ``controller:replay-unknown``.
        """
        found = self._records.controller_replay(id)
        if found is not None and self._visible(actor, found):
            return found
        raise NotFoundError(Fault("controller:replay-unknown", "There is no such replay", "Ask for one by POST", "id"))

    def of(self, actor: Actor, kept: KeptController) -> list[ControllerReplay]:
        """Replays of a version that the caller may read, newest first."""
        return [r for r in self._records.replays_of_controller(kept.name, kept.version) if self._reads(actor, r.twin)]

    def _visible(self, actor: Actor, replay: ControllerReplay) -> bool:
        known = any((c.name, c.version) == (replay.name, replay.version) for c in self._keeper.all(actor))
        return known and self._reads(actor, replay.twin)

    def _reads(self, actor: Actor, uid: str) -> bool:
        twin = self._records.twin(uid)
        return twin is not None and self._authoriser.may(actor, "read", twin)

    def _run(self, actor: Actor, name: str, version: int, property: str) -> tuple[str, Counterexample]:
        """The newest run that breaks the property in that version, and the id of the check that found it."""
        self._keeper.one(actor, f"{name}@{version}")
        versions = [c.version for c in self._keeper.all(actor) if c.name == name]
        checks = [c for v in versions for c in self._records.checks_of_controller(name, v)]
        for check in sorted(checks, key=lambda c: c.at, reverse=True):
            if check.result and version in (check.version, check.against):
                content = self._files.get(check.result)
                if content is not None and (
                    run := run_of(msgspec.json.decode(content, type=Checked), version, property)
                ):
                    return check.id, run
        message = f"No check has found a run of {name}@{version} that breaks {property[:100]!r}"
        raise NotFoundError(Fault("controller:no-run", message, "Have it checked first", "property"))

    def _twin(self, actor: Actor, kept: KeptController) -> tuple[Twin, bool]:
        """The simulated machine of this version and party; made once, and never among the machines."""
        party = actor.party or self._authoriser.operator()
        id = _id_of(kept, party)
        present = self._records.twin(id)
        if present is not None:
            if present.simulates == kept.reference and (present.owner_at(self._now()) or "") == party:
                return present, False
            raise ConflictError(Fault("twin:id-taken", f"Another twin has the id {id!r}", "Give that twin another id"))
        now = self._now()
        owner = (Dated(party, now),) if party else ()
        title = f"Simulated: {kept.title or kept.name}, version {kept.version}"
        twin = Twin(self._new_id(), id, "machine", title, created=now, owner=owner, simulates=kept.reference)
        self._records.save_twin(twin)
        self._audit.note(actor, "twin.save", twin.id, {"created": True, "simulates": kept.reference})
        return twin, True


def run_of(found: Checked, version: int, property: str) -> Counterexample | None:
    """The run that breaks a property in that version, in what a check found of it or of the version beside it."""
    answers: list[Answer] = []
    if found.report.version == version:
        answers += found.report.answers
    if found.comparison is not None and found.comparison.older.version == version:
        answers += found.comparison.older.answers
    return next((a.counterexample for a in answers if a.name == property and a.counterexample is not None), None)


def _id_of(kept: KeptController, party: str) -> str:
    """``simulated-mill-door-1-kivi``; a name that is too long, or has other letters, by its digest."""
    id = f"simulated-{kept.name}-{kept.version}-{party}".removesuffix("-")
    if TWIN_ID.match(id):
        return id
    return f"simulated-{hashlib.sha256(f'{kept.reference} {party}'.encode()).hexdigest()[:16]}"
