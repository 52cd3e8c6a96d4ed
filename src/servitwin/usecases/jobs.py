"""Jobs of planners and trainers: asked for, looked at, ended early; and which artefact of a trainer is in use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from servitwin.domain.error import ConflictError, Fault, InvalidInputError, NotFoundError, RefusedError
from servitwin.domain.instant import NS
from servitwin.domain.job import OVER, Artefact, Job
from servitwin.domain.party import Actor
from servitwin.sdk.manifest import Manifest
from servitwin.usecases.audit import Audit
from servitwin.usecases.authorise import Authoriser
from servitwin.usecases.ports import Files, Records

LONGEST_S = 3600.0
MOST_WAITING = 50
MOST_BYTES = 64_000_000  # of a problem


class Jobs:
    """Jobs and artefacts, for one caller at a time. A caller acts for its own party unless it names another."""

    def __init__(
        self,
        records: Records,
        files: Files,
        authoriser: Authoriser,
        audit: Audit,
        manifests: Callable[[], Mapping[str, Manifest]],
        now: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._records = records
        self._files = files
        self._authoriser = authoriser
        self._audit = audit
        self._manifests = manifests
        self._now = now
        self._new_id = new_id

    def services(self) -> list[Manifest]:
        """Installed planners and trainers, by name."""
        found = self._manifests()
        return [found[n] for n in sorted(found) if found[n].kind in ("planner", "trainer")]

    def party_of(self, actor: Actor, party: str = "") -> str:
        """The company that a caller acts for: the one named, its own, or for the node itself its operator."""
        return party or actor.party or self._authoriser.operator()

    def planning_for(self, actor: Actor, party: str = "") -> str:
        """The company that a caller acts for, where the caller may plan for it.

        Raises:
            RefusedError: ``access:not-permitted``.
        """
        mine = self.party_of(actor, party)
        self._authoriser.require_for_party(actor, "plan", mine)
        return mine

    def ask(
        self,
        service: str,
        problem: Mapping[str, Any],
        actor: Actor,
        *,
        budget_s: float = 30.0,
        seed: int = 0,
        about: str = "",
        party: str = "",
        why: Sequence[str] = (),
        known: int | None = None,
    ) -> Job:
        """Let a problem (or a trainer's data set) wait for its turn; what is wrong with it is found by the job.

        Args:
            service: name of an installed planner or trainer.
            problem: plain data as the service documents it.
            actor: who asks; needs the right to plan for the party.
            budget_s: seconds that the service may use, above 0 and at most :data:`LONGEST_S`.
            seed: randomness of the service, 0 to 2**31 - 1.
            about: free text by which jobs are found again.
            party: company that it is for; default: the caller's.
            why: what made it necessary, where nobody asked; kept with the job.
            known: when what the problem is made of was read (ns UTC); kept with the job.

        Raises:
            NotFoundError: ``service:unknown``.
            RefusedError: ``access:not-permitted``, or ``job:too-many`` while many wait.
            InvalidInputError: ``job:budget``, ``job:seed``, ``job:too-large``.
        """
        mine = self.planning_for(actor, party)
        manifest = self._manifests().get(service)
        if manifest is None or manifest.kind not in ("planner", "trainer"):
            installed = ", ".join(m.name for m in self.services()) or "none"
            raise NotFoundError(
                Fault(
                    "service:unknown", f"No planner or trainer {service[:80]!r}", f"Installed: {installed}", "service"
                )
            )
        faults = []
        if not 0 < budget_s <= LONGEST_S:
            faults.append(Fault("job:budget", f"{budget_s:g} s is no budget", f"0 < s <= {LONGEST_S:g}", "budget_s"))
        if not 0 <= seed < 2**31:
            faults.append(Fault("job:seed", f"{seed} is no seed", "0 to 2147483647", "seed"))
        content = msgspec.json.encode(problem, order="deterministic")
        if len(content) > MOST_BYTES:
            message = f"A problem may have {MOST_BYTES} bytes, this one has {len(content)}"
            faults.append(Fault("job:too-large", message, "Divide it", "problem"))
        if faults:
            raise InvalidInputError(faults)
        job = Job(
            self._new_id(), service, manifest.version, "trainer" if manifest.kind == "trainer" else "planner", mine,
            actor.id, self._now(), self._files.put(content), int(budget_s * NS), seed, about[:200],
            why=tuple(why), known=known,
        )  # fmt: skip
        with self._records.together("jobs"):
            if len(self._records.jobs_in("waiting", limit=MOST_WAITING)) >= MOST_WAITING:
                raise RefusedError(Fault("job:too-many", f"{MOST_WAITING} jobs wait already", "Try again later"))
            self._records.save_job(job)
            self._audit.note(actor, "job.ask", service, {"job": job.id, "party": mine})
        return job

    def one(self, actor: Actor, id: str) -> Job:
        """A job of a party whose plans the caller may see.

        Raises:
            NotFoundError: ``job:unknown``.
        """
        found = self._records.job(id)
        if found is not None and self._authoriser.may_for_party(actor, "see_plan", found.party):
            return found
        raise NotFoundError(Fault("job:unknown", f"There is no job {id[:80]!r}", "GET /api/v1/jobs", "id"))

    def of(
        self, actor: Actor, service: str = "", about: str = "", limit: int = 100, before: int | None = None
    ) -> list[Job]:
        """Jobs that the caller may see, newest first."""
        parties = [p.id for p in self._records.parties() if self._authoriser.may_for_party(actor, "see_plan", p.id)]
        return self._records.jobs_of(parties, service, about, limit, before)

    def result(self, job: Job) -> Any:
        """The best plan of a planner's job so far, as plain data; None before the first and for trainers."""
        content = self._files.get(job.result) if job.kind == "planner" and job.result else None
        return None if content is None else msgspec.json.decode(content)

    def problem(self, job: Job) -> Any:
        """What the job was asked, as plain data.

        Raises:
            NotFoundError: ``file:missing`` where the folder of files is not that of the records.
        """
        content = self._files.get(job.problem)
        if content is None:
            raise NotFoundError(Fault("file:missing", f"The problem of job {job.id} is gone", "Restore a backup"))
        return msgspec.json.decode(content)

    def cancel(self, actor: Actor, id: str) -> Job:
        """End a job early; a planner's best plan so far stays.

        Raises:
            ConflictError: ``job:over``.
        """
        with self._records.together("jobs"):
            job = self.one(actor, id)
            self._authoriser.require_for_party(actor, "plan", job.party)
            if job.state in OVER:
                raise ConflictError(Fault("job:over", f"The job is {job.state} already", "", "id"))
            job = msgspec.structs.replace(job, cancelled_by=actor.id)
            if job.state == "waiting":
                job = msgspec.structs.replace(job, state="cancelled", ended=self._now())
            self._records.save_job(job)
            self._audit.note(actor, "job.cancel", job.service, {"job": job.id})
        return job

    # artefacts -------------------------------------------------------------------------------------------------
    def artefacts(self, actor: Actor, trainer: str, party: str = "") -> list[Artefact]:
        """Artefacts that a trainer made for a party, newest first."""
        mine = self.party_of(actor, party)
        self._authoriser.require_for_party(actor, "see_plan", mine)
        return self._records.artefacts(trainer, [mine])

    def promote(self, actor: Actor, trainer: str, digest: str, why: str, party: str = "") -> Artefact:
        """Use an artefact from now on instead of the one in use; ``why`` is kept.

        Raises:
            NotFoundError: ``artefact:unknown``.
            InvalidInputError: ``artefact:why``.
        """
        mine = self.planning_for(actor, party)
        if not why.strip():
            raise InvalidInputError(Fault("artefact:why", "A reason is needed", "Say why in a sentence", "why"))
        with self._records.together("jobs"):
            for artefact in self._records.artefacts(trainer, [mine]):
                if artefact.digest == digest:
                    promoted = use(self._records, artefact, self._now(), why.strip()[:500])
                    self._audit.note(actor, "artefact.promote", trainer, {"digest": digest, "party": mine})
                    return promoted
        message = f"{trainer} made no artefact {digest[:80]!r}"
        raise NotFoundError(Fault("artefact:unknown", message, f"GET /api/v1/services/{trainer}/artefacts", "digest"))


def use(records: Records, artefact: Artefact, now: int, why: str) -> Artefact:
    """Promote an artefact and retire the one in use; the caller holds the block ``jobs`` of the records."""
    for other in records.artefacts(artefact.trainer, [artefact.party]):
        if other.state == "promoted" and other.digest != artefact.digest:
            records.save_artefact(msgspec.structs.replace(other, state="retired", retired=now))
    promoted = msgspec.structs.replace(artefact, state="promoted", promoted=now, retired=None, why=why)
    records.save_artefact(promoted)
    return promoted


def in_use(records: Records, trainer: str, party: str) -> Artefact | None:
    """The artefact of a trainer that a party uses now."""
    return next((a for a in records.artefacts(trainer, [party]) if a.state == "promoted"), None)
