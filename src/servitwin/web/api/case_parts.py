"""What the routes of cases share: the use cases joined over the parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Depends

from servitwin.domain.case import CaseStanding
from servitwin.domain.party import Actor
from servitwin.proof.repair import RepairProgress
from servitwin.usecases.act_on_case import ActOnCase
from servitwin.usecases.contract_access import ContractAccess
from servitwin.usecases.judge_requirement import JudgeRequirement
from servitwin.usecases.prove_case import ProveCase
from servitwin.usecases.requirement_set import Demand, RequirementSet
from servitwin.usecases.save_requirement import SaveRequirement
from servitwin.usecases.show_excerpt import ShowExcerpt
from servitwin.usecases.state_evidence import StateEvidence
from servitwin.web.api.callers import Parts


@dataclass(frozen=True, slots=True)
class CaseParts:
    """Use cases of cases and requirements over one node's parts."""

    act: ActOnCase
    set: RequirementSet
    judge: JudgeRequirement
    save: SaveRequirement
    prove: ProveCase
    access: ContractAccess
    parts: Parts
    told: list[tuple[str, bytes]]  # what the bus has to hear of once the answer is there

    def requirement(self, s: CaseStanding) -> Demand | None:
        """The requirement of a case as it was when the case was opened; None if it is gone."""
        twin = self.parts.registry.by_uid(s.case.twin)
        return self.set.of_case(twin, s.case) if twin is not None else None

    def progress(self, s: CaseStanding) -> RepairProgress | None:
        """How far the last repair is proven; None where none was recorded."""
        twin = self.parts.registry.by_uid(s.case.twin)
        demand = self.requirement(s)
        if s.repair is None or twin is None or demand is None:
            return None
        until = s.verified.until if s.verified is not None else self.parts.now()
        return self.judge.progress(twin, demand, s.repair.done_at, until)

    def proof(self, actor: Actor, id: str, kind: Literal["violated", "repaired"]) -> tuple[CaseStanding, bytes]:
        """A case and its proof file, for whoever may read all that the file shows.

        Raises:
            NotFoundError: ``case:unknown``.
            RefusedError: ``case:time-not-readable``.
            ConflictError, UnavailableError: as :meth:`ProveCase.prove` says.
        """
        s = self.act.get(actor, id)
        if kind == "violated" and s.findings:
            last = s.findings[-1]
            end = self.parts.now() if last.end is None else last.end
            self.act.require_shown(actor, s, last.start, max(end, last.start + 1))
        elif kind == "repaired" and s.verified is not None:
            self.act.require_shown(actor, s, s.verified.since, s.verified.until)
        return s, self.prove.prove(s, kind)

    def contracts_of(self, actor: Actor, uid: str) -> list[str]:
        """Contracts with a guarantee for a machine that the caller may read."""
        twin = self.parts.registry.by_uid(uid)
        if twin is None:
            return []
        found = self.access.all_current(actor)
        return [a.contract.id for a in found if twin.id in a.contract.machines and a.contract.guarantee is not None]


def _joined(parts: Parts) -> CaseParts:
    told: list[tuple[str, bytes]] = []
    evidence = StateEvidence(parts.records, parts.authoriser.operator)
    act = ActOnCase(
        parts.records, parts.registry, parts.authoriser, parts.audit, evidence, parts.now, lambda *m: told.append(m)
    )
    return CaseParts(
        act,
        parts.demands,
        JudgeRequirement(parts.history, parts.registry, parts.records),
        SaveRequirement(parts.records, parts.demands, parts.audit, parts.now),
        ProveCase(
            parts.log,
            parts.heads,
            ShowExcerpt(parts.log, parts.bound),
            parts.history,
            parts.registry,
            parts.records,
            parts.demands,
            parts.files,
            parts.keys,
            parts.authoriser.operator,
            parts.now,
        ),
        ContractAccess(parts.records, parts.authoriser),
        parts,
        told,
    )


Cases = Annotated[CaseParts, Depends(_joined)]
