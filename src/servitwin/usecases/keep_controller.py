"""Controllers that the node keeps: who may bring one in, read it, and have it checked."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from servitwin.domain.error import ConflictError, Fault, InvalidInputError, NotFoundError, RefusedError
from servitwin.domain.kept_controller import ControllerCheck, KeptController
from servitwin.domain.party import Actor
from servitwin.domain.twin import Twin
from servitwin.usecases.audit import Audit
from servitwin.usecases.authorise import Authoriser, unknown_twin
from servitwin.usecases.check_controller import ControllerText, read
from servitwin.usecases.ports import Files, Records
from servitwin.usecases.registry import Registry

MOST_BYTES = 1_000_000  # of the texts of one controller; the largest example has 10 000
MOST_WAITING = 20


class Asked(msgspec.Struct, frozen=True):
    """What a check is asked; see :class:`servitwin.domain.kept_controller.ControllerCheck`."""

    depth: int
    seconds: float
    against: int | None = None
    twin: str = ""
    start: int = 0
    end: int = 0


class KeepController:
    """Controllers and their checks, for one caller at a time."""

    def __init__(
        self,
        records: Records,
        files: Files,
        registry: Registry,
        authoriser: Authoriser,
        audit: Audit,
        now: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._records = records
        self._files = files
        self._registry = registry
        self._authoriser = authoriser
        self._audit = audit
        self._now = now
        self._new_id = new_id

    def keep(
        self, text: ControllerText, actor: Actor, machine_type: str = "", twin: str = ""
    ) -> tuple[KeptController, bool]:
        """Bring a version in, for the machines of a type (by name) or for one twin (by id).

        Returns:
            What is kept now, and whether it was brought in by this call.

        Raises:
            InvalidInputError: every fault of the file, or neither or both of type and twin.
            NotFoundError: ``machine-type:unknown`` or ``twin:unknown``.
            RefusedError: the caller may not configure it.
            ConflictError: ``controller:other-content``: that version is there, with another text or owner.
        """
        if bool(machine_type) == bool(twin):
            fault = Fault("controller:whose", "A controller belongs to a machine type or to a twin", "Name one of both")
            raise InvalidInputError(fault)
        uid = self._owner(actor, machine_type, twin)
        if len(text.text) + len(text.side or "") > MOST_BYTES:
            raise InvalidInputError(Fault("file:too-large", f"A controller may have {MOST_BYTES} bytes", "Divide it"))
        controller = read(text)
        bare = ControllerText(text.text, "", text.side)  # a file's name on somebody's disk is no part of it
        kept = KeptController(
            controller.name, controller.version, controller.title, self._files.put(msgspec.json.encode(bare)),
            machine_type, uid, len(controller.properties), self._now(), actor.id,
        )  # fmt: skip
        with self._records.together("controllers"):
            for other in self._records.controllers(kept.name):
                if (other.machine_type, other.twin) != (machine_type, uid):
                    raise _other(kept.reference, "A controller of that name belongs elsewhere", "Give it another name")
                if other.version == kept.version:
                    if other.file == kept.file:
                        return other, False
                    raise _other(kept.reference, "That version is there, with another text", "Raise `version`")
            self._records.add_controller(kept)
            self._audit.note(actor, "controller.add", kept.reference, {"file": kept.file})
        return kept, True

    def _owner(self, actor: Actor, machine_type: str, twin: str) -> str:
        if machine_type:
            self._authoriser.require_on_node(actor, "run")
            if not any(t.name == machine_type for t in self._registry.types().values()):
                message = f"There is no type {machine_type[:100]!r}"
                raise NotFoundError(Fault("machine-type:unknown", message, "GET /api/v1/machine-types", "machine_type"))
            return ""
        found = self._registry.by_id(twin)
        if found is None or not self._authoriser.knows(actor, found):
            raise unknown_twin(twin)
        self._authoriser.require(actor, "configure", found)
        return found.uid

    def all(self, actor: Actor) -> list[KeptController]:
        """What the caller may read: controllers of types of twins that it knows, and of twins that it may read."""
        if self._authoriser.may_on_node(actor, "run"):
            return self._records.controllers()
        known = self._authoriser.known(actor)
        types = {d.value.partition("@")[0] for t in self._registry.twins() if t.uid in known for d in t.type}
        return [
            c
            for c in self._records.controllers()
            if (self._reads(actor, c.twin) if c.twin else c.machine_type in types)
        ]

    def one(self, actor: Actor, reference: str) -> KeptController:
        """The version ``name@version``, or the highest of a name.

        Raises:
            NotFoundError: ``controller:unknown``, also if the caller may not know of it.
        """
        found = [c for c in self.all(actor) if reference in (c.reference, c.name)]
        if not found:
            message = f"There is no controller {reference[:100]!r}"
            raise NotFoundError(Fault("controller:unknown", message, "GET /api/v1/controllers", "reference"))
        return found[-1]

    def text(self, kept: KeptController) -> ControllerText:
        """Its texts as they were brought in."""
        return text_of(self._files, kept)

    def may_check(self, actor: Actor, kept: KeptController) -> bool:
        """Whether the caller may have it checked: who may bring it in, or who configures a machine of its type."""
        if kept.twin:
            twin = self._registry.by_uid(kept.twin)
            return twin is not None and self._authoriser.may(actor, "configure", twin)
        return self._authoriser.may_on_node(actor, "run") or any(
            self._authoriser.may(actor, "configure", t)
            for t in self._registry.twins()
            if any(d.value.partition("@")[0] == kept.machine_type for d in t.type)
        )

    def ask(self, actor: Actor, reference: str, asked: Asked) -> ControllerCheck:
        """Let a check wait for its turn.

        Raises:
            NotFoundError: ``controller:unknown``.
            RefusedError: ``access:not-permitted``, or ``controller:too-many-checks`` while many wait.
            InvalidInputError: ``controller:same-version`` where it is to be compared with itself.
        """
        kept = self.one(actor, reference)
        if not self.may_check(actor, kept):
            hint = "Ask who configures the machine"
            raise RefusedError(Fault("access:not-permitted", f"You may not check {kept.reference}", hint))
        if asked.against is not None:
            self.one(actor, f"{kept.name}@{asked.against}")
            if asked.against == kept.version:
                fault = Fault("controller:same-version", "That is the same version", "Name another", "against")
                raise InvalidInputError(fault)
        check = ControllerCheck(
            self._new_id(), kept.name, kept.version, asked.depth, asked.seconds, self._now(), actor.id,
            asked.against, asked.twin, asked.start, asked.end,
        )  # fmt: skip
        with self._records.together("controller-checks"):
            if len(self._records.controller_checks("waiting", MOST_WAITING)) >= MOST_WAITING:
                fault = Fault("controller:too-many-checks", f"{MOST_WAITING} checks wait already", "Try again later")
                raise RefusedError(fault)
            self._records.save_controller_check(check)
            self._audit.note(actor, "controller.check", kept.reference, {"check": check.id})
        return check

    def check(self, actor: Actor, id: str) -> ControllerCheck:
        """A check of a controller that the caller may read.

        Raises:
            NotFoundError: ``controller:check-unknown``.
        """
        found = self._records.controller_check(id)
        if found is not None and any((c.name, c.version) == (found.name, found.version) for c in self.all(actor)):
            return found
        raise NotFoundError(Fault("controller:check-unknown", "There is no such check", "Ask for one by POST", "id"))

    def machine_of(self, actor: Actor, check: ControllerCheck) -> Twin | None:
        """The machine that the model was compared with, if the caller may read it now."""
        twin = self._registry.by_uid(check.twin) if check.twin else None
        return twin if twin is not None and self._authoriser.may(actor, "read", twin) else None

    def _reads(self, actor: Actor, uid: str) -> bool:
        twin = self._registry.by_uid(uid)
        return twin is not None and self._authoriser.may(actor, "read", twin)


def text_of(files: Files, kept: KeptController) -> ControllerText:
    """The texts of a controller from the node's files.

    Raises:
        NotFoundError: ``file:missing`` where the folder of files is not that of the records.
    """
    content = files.get(kept.file)
    if content is None:
        raise NotFoundError(Fault("file:missing", f"The file of {kept.reference} is gone", "Restore a backup"))
    return msgspec.json.decode(content, type=ControllerText)


def _other(reference: str, message: str, hint: str) -> ConflictError:
    return ConflictError(Fault("controller:other-content", f"{reference}: {message}", hint))
