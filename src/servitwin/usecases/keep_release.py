"""Releases: who may bring one in, have it tried by the gate, and take it back."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from servitwin.domain.error import ConflictError, Fault, InvalidInputError, NotFoundError, RefusedError
from servitwin.domain.machine_type import CommandDefinition, MachineType
from servitwin.domain.party import Actor
from servitwin.domain.release import (
    Gate,
    GatePolicy,
    Release,
    Setting,
    Withdrawal,
    policy_faults,
    release_faults,
)
from servitwin.proof.log.statement import Subject
from servitwin.usecases.audit import Audit
from servitwin.usecases.authorise import Authoriser
from servitwin.usecases.ports import Records
from servitwin.usecases.registry import Registry
from servitwin.usecases.send_command import check_parameters
from servitwin.usecases.state_evidence import StateEvidence

MOST_WAITING = 20
POLICY = "release.policy"  # setting: a GatePolicy as JSON


class NewRelease(msgspec.Struct, frozen=True):
    """What is brought in; see :class:`servitwin.domain.release.Release`. ``type_version`` None: the newest."""

    machine_type: str
    version: str
    artefact: str
    controller: str = ""
    settings: dict[str, Setting] = {}
    title: str = ""
    type_version: int | None = None


class KeepRelease:
    """Releases and their gates, for one caller at a time."""

    def __init__(
        self,
        records: Records,
        registry: Registry,
        authoriser: Authoriser,
        audit: Audit,
        now: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._records = records
        self._registry = registry
        self._authoriser = authoriser
        self._audit = audit
        self._now = now
        self._new_id = new_id

    def add(self, new: NewRelease, actor: Actor) -> tuple[Release, bool]:
        """Bring a release in; whether it was brought in by this call.

        Raises:
            NotFoundError: ``machine-type:unknown``.
            RefusedError: ``access:not-permitted``: it is the maker of the type, or the operator of the node.
            InvalidInputError: every fault at once: ``release:...``, ``command:...`` of its settings.
            ConflictError: ``release:other-content``.
        """
        machine_type = self._records.machine_type(new.machine_type, new.type_version)
        party = "" if machine_type is None else machine_type.manufacturer or self._authoriser.operator()
        may = machine_type is not None and self._may(actor, party)
        if machine_type is None or not (may or machine_type.name in self._types(actor)):
            message = f"There is no type {new.machine_type[:100]!r} in that version"
            raise NotFoundError(Fault("machine-type:unknown", message, "GET /api/v1/machine-types", "machine_type"))
        if not may:
            hint = f"Releases of {machine_type.name} are brought in by {party}"
            raise RefusedError(Fault("access:not-permitted", "You may not release software of this type", hint))
        release = Release(
            machine_type.name, machine_type.version, new.version, new.title, new.artefact, new.controller,
            new.settings, party, self._now(), actor.id,
        )  # fmt: skip
        faults = [*release_faults(release), *self._controller_faults(release), *_setting_faults(machine_type, release)]
        if not any(c.kind == "update" for c in machine_type.commands):
            hint = "Give the type a command with kind: update, and release for that version of it"
            said = f"{machine_type.reference} knows no command that installs an update"
            faults.append(Fault("release:no-update-command", said, hint, "machine_type"))
        if faults:
            raise InvalidInputError(faults)
        with self._records.together("releases"):
            present = self._records.release(release.id)
            if present is not None:
                same = msgspec.structs.replace(release, at=present.at, by=present.by, withdrawn=present.withdrawn)
                if same == present:
                    return present, False
                message = f"{release.id} is there, with another content"
                raise ConflictError(Fault("release:other-content", message, "Give it another version", "version"))
            self._records.save_release(release)
            self._audit.note(actor, "release.add", release.id, {"artefact": release.artefact})
            self._tell(release, "added")
        return release, True

    def all(self, actor: Actor) -> list[Release]:
        """Releases of types of twins that the caller knows, newest first."""
        if self._authoriser.may_on_node(actor, "run"):
            return self._records.releases()
        types = self._types(actor)
        return [r for r in self._records.releases() if r.machine_type in types or r.party == actor.party]

    def _types(self, actor: Actor) -> set[str]:
        """Machine types of twins that the caller knows."""
        known = self._authoriser.known(actor)
        return {d.value.partition("@")[0] for t in self._registry.twins() if t.uid in known for d in t.type}

    def one(self, actor: Actor, id: str) -> Release:
        """A release that the caller may know.

        Raises:
            NotFoundError: ``release:unknown``.
        """
        found = next((r for r in self.all(actor) if r.id == id), None)
        if found is None:
            raise NotFoundError(Fault("release:unknown", f"There is no release {id[:100]!r}", "GET /api/v1/releases"))
        return found

    def may_change(self, actor: Actor, release: Release) -> bool:
        """Whether the caller may have it tried, and take it back."""
        return self._may(actor, release.party)

    def ask_gate(self, actor: Actor, id: str, policy: GatePolicy | None = None) -> Gate:
        """Let the release wait for the gate.

        Raises:
            NotFoundError: ``release:unknown``.
            RefusedError: ``access:not-permitted``, ``gate:too-many``, ``gate:policy-weaker``.
            ConflictError: ``release:withdrawn``, ``gate:under-way``.
            InvalidInputError: ``gate:policy``.
        """
        release = self._own(actor, id)
        if release.withdrawn is not None:
            raise ConflictError(Fault("release:withdrawn", f"{id} was taken back", "Bring in a new version", "id"))
        wanted = policy or self.policy()
        faults = policy_faults(wanted)
        if faults:
            raise InvalidInputError(faults)
        weaker = _weaker(wanted, self.policy())
        if weaker and not self._authoriser.may_on_node(actor, "run"):
            hint = "Ask the operator's administrator, or leave the policy out"
            raise RefusedError(Fault("gate:policy-weaker", f"{weaker} is weaker than this node asks", hint, weaker))
        gate = Gate(self._new_id(), release.id, wanted, self._now(), actor.id)
        with self._records.together("releases"):
            if any(g.state in ("waiting", "running") for g in self._records.gates(release.id)):
                raise ConflictError(Fault("gate:under-way", f"{id} is in the gate already", "Wait for it", "id"))
            if len(self._records.gates(state="waiting", limit=MOST_WAITING)) >= MOST_WAITING:
                raise RefusedError(Fault("gate:too-many", f"{MOST_WAITING} gates wait already", "Try again later"))
            self._records.save_gate(gate)
            self._audit.note(actor, "release.gate", release.id, {"gate": gate.id})
            self._tell(release, "waiting")
        return gate

    def withdraw(self, actor: Actor, id: str, why: str) -> Release:
        """Take a release back: machines are sent it no more; said in the evidence log where it had passed.

        Raises:
            NotFoundError: ``release:unknown``.
            RefusedError: ``access:not-permitted``.
            InvalidInputError: ``release:why``.
            ConflictError: ``release:withdrawn``.
        """
        release = self._own(actor, id)
        if not why.strip():
            raise InvalidInputError(Fault("release:why", "A reason is needed", "Say why in a sentence", "why"))
        with self._records.together("releases"):
            present = self._records.release(release.id) or release
            if present.withdrawn is not None:
                raise ConflictError(Fault("release:withdrawn", f"{id} was taken back before", "", "id"))
            at = self._now()
            taken = msgspec.structs.replace(present, withdrawn=Withdrawal(at, actor.id, why.strip()[:500]))
            self._records.save_release(taken)
            if any(g.statement for g in self._records.gates(id)):
                body = {"release": release.id, "artefact": release.artefact, "why": why.strip()[:500], "by": actor.id}
                evidence = StateEvidence(self._records, self._authoriser.operator)
                evidence.state("release-withdrawn", Subject(), at, body, release.party)
            self._audit.note(actor, "release.withdraw", release.id, {"why": why.strip()[:500]})
            self._tell(release, "withdrawn")
        return taken

    def policy(self) -> GatePolicy:
        """What the gate of this node asks for: the setting ``release.policy``, or everything."""
        return policy_of(self._records)

    def _own(self, actor: Actor, id: str) -> Release:
        release = self.one(actor, id)
        if not self._may(actor, release.party):
            hint = f"Ask {release.party}"
            raise RefusedError(Fault("access:not-permitted", f"You may not do that with {id}", hint))
        return release

    def _may(self, actor: Actor, party: str) -> bool:
        """Whoever runs the node, or the maker's own engineers and administrators."""
        own = actor.party == party and bool({"engineer", "administrator"} & set(actor.roles))
        return own or self._authoriser.may_on_node(actor, "run")

    def _controller_faults(self, release: Release) -> list[Fault]:
        """A type that has controllers on this node has no release without one: its check would be left out."""
        kept = [c for c in self._records.controllers() if c.machine_type == release.machine_type]
        if release.controller and not any(c.reference == release.controller for c in kept):
            there = ", ".join(c.reference for c in kept) or "none"
            said = f"{release.controller[:100]!r} is no controller of {release.machine_type}"
            return [Fault("release:controller", said, f"There are: {there}", "controller")]
        if kept and not release.controller:
            hint = "Name the version that is in it: " + ", ".join(c.reference for c in kept)
            said = f"{release.machine_type} has a controller, and the release names none"
            return [Fault("release:controller-missing", said, hint, "controller")]
        return []

    def _tell(self, release: Release, what: str) -> None:
        data = {"release": release.id, "state": what}
        self._records.add_event("release", release.id, self._now(), data)


def policy_of(records: Records) -> GatePolicy:
    """What the gate of a node asks for.

    Raises:
        InvalidInputError: ``gate:policy-unreadable``: the setting is no policy; nothing passes by mistake.
    """
    text = records.setting(POLICY)
    if text is None:
        return GatePolicy()
    try:
        return msgspec.json.decode(text, type=GatePolicy)
    except msgspec.DecodeError as e:
        raise InvalidInputError(Fault("gate:policy-unreadable", str(e), f"Correct the setting {POLICY}")) from None


def _weaker(asked: GatePolicy, node: GatePolicy) -> str:
    """The first point in which a policy asks for less than the node's; empty: it asks for no less."""
    if set(node.needs) - set(asked.needs):
        return "needs"
    if asked.accept_bounded and not node.accept_bounded:
        return "accept_bounded"
    if asked.worse_at_most > node.worse_at_most:
        return "worse_at_most"
    more = ("depth", "runs", "hours", "recorded_hours", "machines")
    return next((n for n in more if getattr(asked, n) < getattr(node, n)), "")


def _setting_faults(machine_type: MachineType, release: Release) -> list[Fault]:
    known: dict[str, CommandDefinition] = {c.name: c for c in machine_type.commands}
    faults: list[Fault] = []
    for name, parameters in release.settings.items():
        definition = known.get(name)
        if definition is None or definition.risk != "setting" or definition.kind == "update":
            allowed = ", ".join(c.name for c in known.values() if c.risk == "setting" and c.kind != "update")
            said = f"{name[:80]!r} is no setting of {machine_type.reference}"
            faults.append(Fault("release:setting", said, f"Settings are: {allowed or 'none'}", f"settings.{name[:80]}"))
            continue
        for fault in check_parameters(definition, parameters):
            faults.append(msgspec.structs.replace(fault, where=f"settings.{name}.{fault.where}"))
    return faults
