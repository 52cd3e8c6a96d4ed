"""Make the proof file of a case: what was violated, or that it is mended, for anyone to check without trusting us."""

from __future__ import annotations

import base64
import math
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from servitwin.domain.case import CaseStanding, Proved
from servitwin.domain.error import ConflictError, Fault, NotFoundError, UnavailableError
from servitwin.domain.formula.tree import LOGIC, STATE, Formula, reach
from servitwin.domain.instant import NS, parse_instant
from servitwin.domain.observation import CONNECTION, Cut
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.twin import Twin, value_at
from servitwin.formats.signature import key_id
from servitwin.proof.file.excerpt_part import ShownExcerpt, SignalMeaning, excerpt_digest
from servitwin.proof.file.proof_file import (
    ClaimedVerdict,
    CoSignature,
    CoSignedHead,
    LoggedStatement,
    ProofParts,
    ProvenMachine,
    ProvenParty,
    SignedHead,
    StampedHead,
    build_proof_file,
)
from servitwin.proof.file.wire import plain
from servitwin.proof.log.catalogue import last_sequences, places_of_kinds
from servitwin.proof.log.head import Cosignature, read_head
from servitwin.proof.log.head import SignedHead as LogHead
from servitwin.proof.log.statement import Subject, exact_instant, glance
from servitwin.proof.log.timestamp import HeadStamp
from servitwin.proof.monitor.history import margin_over
from servitwin.proof.monitor.trace import SignalTrace, Verdict
from servitwin.usecases.case_step import add_monitor_step
from servitwin.usecases.judge_requirement import JudgeRequirement
from servitwin.usecases.keep_log import read_cosigned
from servitwin.usecases.log_ports import HeadFiles, LogReader
from servitwin.usecases.machine_time import Sources, declared_gaps, read_machines
from servitwin.usecases.ports import Files, HistoryReader, Records, SigningKeys
from servitwin.usecases.registry import Registry
from servitwin.usecases.requirement_set import Demand, RequirementSet
from servitwin.usecases.show_excerpt import ShowExcerpt
from servitwin.usecases.state_evidence import StateEvidence

Kind = Literal["violated", "repaired"]
_SETTLED = 15 * NS  # what was received before that is bound by now
_PATIENCE_S, _LOOK_EVERY_S = 20.0, 0.25


class ProveCase:
    """Proof files of cases, each made once and kept."""

    def __init__(
        self,
        log: LogReader,
        heads: HeadFiles,
        excerpts: ShowExcerpt,
        history: HistoryReader,
        registry: Registry,
        records: Records,
        demands: RequirementSet,
        files: Files,
        keys: SigningKeys,
        operator: Callable[[], str],
        now: Callable[[], int],
    ) -> None:
        self._log, self._heads, self._excerpts = log, heads, excerpts
        self._history, self._registry, self._records = history, registry, records
        self._files, self._keys, self._operator, self._now = files, keys, operator, now
        self._judge = JudgeRequirement(history, registry, records)
        self._demands = demands
        self._evidence = StateEvidence(records, operator)

    def kept(self, standing: CaseStanding, kind: Kind) -> bytes | None:
        """The proof file that was made last and still says all that is known; None if there is none."""
        if not standing.findings:
            return None
        proved = [s.body for s in standing.steps if isinstance(s.body, Proved)]
        last = next((p for p in reversed(proved) if p.of == kind), None)
        if last is None:
            return None
        if kind == "violated":
            newest = standing.findings[-1]
            if newest.start != last.start or (newest.end is not None and newest.end != last.end):
                return None
        elif standing.verified is None or standing.verified.since != last.start:
            return None
        return self._files.get(last.file)

    def prove(self, standing: CaseStanding, kind: Kind) -> bytes:
        """The proof file of a case: the one that is kept, or a new one.

        Raises:
            ConflictError: ``proof:hypothesis``, ``proof:not-yet``, ``proof:data-missing``, ``proof:segment-differs``.
            NotFoundError: ``proof:requirement-gone``.
            InvalidInputError: ``proof:excerpt-too-long``.
            UnavailableError: ``proof:log-waits``.
        """
        kept = self.kept(standing, kind)
        if kept is not None:
            return kept
        if standing.case.source:
            hint = "Say as a requirement what must hold: whether it is kept can be proven"
            raise ConflictError(Fault("proof:hypothesis", "What a service finds is a hypothesis, not a proof", hint))
        twin = self._registry.by_uid(standing.case.twin)
        demand = self._demands.of_case(twin, standing.case) if twin else None
        if twin is None or demand is None or demand.formula is None:
            raise NotFoundError(
                Fault(
                    "proof:requirement-gone",
                    "The requirement is not what it was when the case was opened",
                    "Register the version of the machine type that the case names",
                )
            )
        claim, excerpt, stated = self._claimed(standing, kind, twin, demand, demand.formula)
        verdict = self._state(claim, excerpt, demand, standing)
        content = self._file(standing, claim, twin, demand, excerpt, [*stated, verdict])
        address = self._files.put(content)
        add_monitor_step(self._records, standing.case.id, Proved(kind, claim.begin, claim.end, address), self._now())
        return content

    # what is claimed --------------------------------------------------------------------------------------------
    def _claimed(
        self, standing: CaseStanding, kind: Kind, twin: Twin, demand: Demand, formula: Formula
    ) -> tuple[ClaimedVerdict, ShownExcerpt, list[int]]:
        bound = last_sequences(self._log.catalogue())
        settled = self._now() - _SETTLED
        if not standing.findings:
            raise _not_yet("No violation of this case counts any more")
        if kind == "violated":
            cut, begin, wanted = bound, standing.findings[-1].start, Verdict.FALSE
            limit = standing.findings[-1].end or settled
        else:
            verified = standing.verified
            if verified is None:
                raise _not_yet("The repair is not proven yet")
            cut, begin, wanted = {int(k): v for k, v in verified.cut.items()}, verified.since, Verdict.TRUE
            limit = settled = verified.until
            if any(bound.get(shard, -1) < seq for shard, seq in cut.items()):
                raise _not_yet("The observations of the proof are not bound yet")
        until = min(settled, limit + reach(formula)[1] + 1)
        if until <= begin:
            raise _not_yet("The violation began a moment ago, and its observations are not bound yet")
        trace = self._judge.trace(twin, [formula], begin, until, cut)
        piece = next(iter(self._judge.judged(formula, trace)), None)
        if piece is None or piece.verdict is not wanted or piece.start != begin:
            raise ConflictError(
                Fault(
                    "proof:data-missing",
                    "What is bound in the log does not decide it: data were missing, or came late",
                    "Try again in a minute; if it stays so, the requirement was not certainly "
                    + ("violated" if wanted is Verdict.FALSE else "kept all the time since the repair"),
                )
            )
        end = min(piece.end, limit) if kind == "violated" else piece.end
        claim = ClaimedVerdict(kind, demand.name, begin, end, piece.least, piece.most, standing.case.id)
        if end != piece.end:
            least, most = margin_over(formula, trace, begin, end)
            claim = msgspec.structs.replace(claim, least=least, most=most)
        excerpt, stated = self._excerpt(twin, demand, formula, trace.signals, begin, until, cut)
        return claim, excerpt, stated

    def _excerpt(
        self,
        twin: Twin,
        demand: Demand,
        formula: Formula,
        signals: Mapping[str, SignalTrace],
        begin: int,
        end: int,
        cut: Cut,
    ) -> tuple[ShownExcerpt, list[int]]:
        read = [n for n in demand.checked.signals if n != STATE]
        first = min((int(signals[n].times[0]) for n in read if len(signals[n].times)), default=begin)
        since = min(first, begin - (reach(formula)[0] or 0))
        names = [*read, CONNECTION]
        stated = self._excerpts.stated(since, cut)
        segments = list(self._excerpts.segments(stated, twin.uid, names, since, end))
        definitions = self._registry.signals(twin.uid, begin)
        meanings = {n: _meaning(definitions[n]) for n in read}
        meanings[CONNECTION] = SignalMeaning("text")
        sources = Sources(self._history, self._registry, self._records, cut)
        declared = declared_gaps(sources, [twin]).get(twin.uid, [])
        gaps = [(g.start, g.end) for g in declared if g.end > since and g.start < end]
        states = None
        if STATE in demand.checked.signals:
            intervals = read_machines(sources, [twin], since, end)[twin.uid].intervals
            states = [(i.start, i.end, i.state.value) for i in intervals]
        excerpt = ShownExcerpt(twin.uid, since, end, cut, meanings, segments, gaps, states)
        return excerpt, [index for index, _ in stated]

    # what is stated, and the file -------------------------------------------------------------------------------
    def _state(self, claim: ClaimedVerdict, excerpt: ShownExcerpt, demand: Demand, standing: CaseStanding) -> int:
        """Let the verdict enter the log and wait for its place."""
        body: dict[str, Any] = plain(
            {
                "requirement": demand.digest,
                "logic": LOGIC,
                "verdict": "false" if claim.kind == "violated" else "true",
                "from": exact_instant(claim.begin),
                "to": exact_instant(claim.end),
                "least": claim.least,
                "most": claim.most,
                "cut": excerpt.cut,
                "excerpt": excerpt_digest(excerpt),
            }
        )
        subject = Subject(twin=standing.case.twin, case=standing.case.id)
        digest = self._evidence.state("verdict", subject, self._now(), body)
        for _ in range(int(_PATIENCE_S / _LOOK_EVERY_S)):
            place = self._records.statement_place(digest)
            raw = self._heads.head()
            if place is not None and raw is not None and read_head(raw).head.size > place:
                return place
            time.sleep(_LOOK_EVERY_S)
        raise UnavailableError(
            Fault("proof:log-waits", "The log has not taken the verdict yet", "Try again in a few seconds")
        )

    def _file(
        self,
        standing: CaseStanding,
        claim: ClaimedVerdict,
        twin: Twin,
        demand: Demand,
        excerpt: ShownExcerpt,
        stated: list[int],
    ) -> bytes:
        raw = self._heads.head()
        assert raw is not None  # `_state` waited for it
        head = read_head(raw)
        size = head.head.size
        catalogue = self._log.catalogue()
        keys = [i for i in places_of_kinds(catalogue, "key", "key-revoked") if i < size]
        machine = places_of_kinds(catalogue, "machine-key", "machine-key-revoked")
        about = [i for i in machine if i < size and self._subject(i).twin == twin.uid]
        if claim.kind == "repaired":
            kinds = places_of_kinds(catalogue, "verdict", "repair", "repair-verified")
            about += [i for i in kinds if i < size and self._subject(i).case == standing.case.id]
        statements = []
        for index in sorted({0, *keys, *stated, *about}):
            entry = msgspec.json.decode(self._log.entry(index))
            statements.append(LoggedStatement(index, entry, self._log.inclusion(index, size)))
        at = claim.begin
        owner = value_at(twin.owner, at) or self._operator()
        roles = {owner: "owner of the machine", self._operator(): "operates the node that says it"}
        names = {p.id: p for p in self._records.parties()}
        parts = ProofParts(
            claim,
            ProvenMachine(twin.uid, twin.id, twin.serial, twin.dtid, twin.type_at(at) or "", twin.title),
            [ProvenParty(p, names[p].name if p in names else p, role=role) for p, role in roles.items()],
            demand.written,
            excerpt,
            statements,
            head_of(head),
            cosigned_heads(self._heads, self._log, size),
            self._stamped(size),
        )  # fmt: skip

        def sign(content: bytes) -> tuple[str, bytes]:
            public, signature = self._keys.sign(self._operator(), content)
            return key_id(public), base64.b64decode(signature)

        return build_proof_file(parts, sign)

    def _stamped(self, size: int) -> list[StampedHead]:
        """The newest time stamp of a head that the file's head goes on from; none where no authority is asked."""
        newest = max((s for s in self._heads.stamped() if s <= size), default=-1)
        raw = self._heads.stamp(newest)
        if raw is None:
            return []
        found = msgspec.json.decode(raw, type=HeadStamp)
        path = self._log.consistency(newest, size)
        return [StampedHead(head_of(found.head), found.authority, found.response, found.time, path)]

    def _subject(self, index: int) -> Subject:
        return glance(self._log.entry(index)).statement.subject


def head_of(head: LogHead) -> SignedHead:
    """A tree head as files carry it."""
    return SignedHead(
        head.head.log, head.head.size, head.root_bytes, parse_instant(head.head.made), head.key, head.signature
    )


def cosigned_heads(heads: HeadFiles, log: LogReader, size: int) -> list[CoSignedHead]:
    """Heads that others co-signed, up to a size of the log, each with its path to the head of that size."""
    return [
        CoSignedHead(head_of(c.head), [_cosignature(c.cosignature)], log.consistency(c.head.head.size, size))
        for c in read_cosigned(heads.cosigned())
        if c.head.head.size <= size
    ]


def _cosignature(c: Cosignature) -> CoSignature:
    return CoSignature(c.party, c.key, c.signature, parse_instant(c.seen))


def _meaning(d: SignalDefinition) -> SignalMeaning:
    accuracy = d.accuracy if d.accuracy is not None and math.isfinite(d.accuracy) else None
    return SignalMeaning(d.type, d.unit, accuracy, d.reporting.max_gap)


def _not_yet(message: str) -> ConflictError:
    return ConflictError(Fault("proof:not-yet", message, "Try again when it is; the case says what is missing"))
