"""What a trainer made is kept, and used from now on where it is better than what is in use."""

from __future__ import annotations

from typing import Any

import msgspec

from servitwin.domain.job import Artefact, Job
from servitwin.domain.model_book import any_book, joined
from servitwin.usecases.jobs import in_use, use
from servitwin.usecases.ports import Files, Records


def take_in(
    records: Records, files: Files, job: Job, content: bytes, evaluation: dict[str, Any], now: int
) -> Artefact:  # fmt: skip
    """Keep an artefact, ``now`` ns UTC; a book of models keeps those that came into use while it was learnt."""
    with records.together("jobs"):
        present = in_use(records, job.service, job.party)
        book = any_book(content)
        if book is None:
            score = evaluation.get("score")
            score = float(score) if isinstance(score, (int, float)) and score == score else None  # noqa: PLR0124 - NaN
            refused = _not_better(score, present)
        else:
            old = files.get(present.digest) if present is not None else None
            above = present.score if present is not None and present.score is not None else 0.0
            kept = any_book(old) if old is not None else None
            book, refused = joined(book, kept, above)
            content, score = msgspec.msgpack.encode(book), float(book.generation)
            before = present.evaluation.get("models", {}) if present is not None else {}
            told = {**before, **evaluation.get("models", {})}
            evaluation = {
                **evaluation,
                "score": score,
                "models": {key: told[key] for key in told if key in book.models},
            }
        digest = files.put(content)
        known = next((a for a in records.artefacts(job.service, [job.party]) if a.digest == digest), None)
        if known is not None:
            return known
        why = f"Not used: {refused}" if refused else ""
        made = Artefact(
            digest, job.service, job.version, job.party, job.id, job.problem, now, evaluation, score, why=why
        )  # fmt: skip
        records.save_artefact(made)
        return made if refused else use(records, made, now, _why(made, present))


def _not_better(score: float | None, present: Artefact | None) -> str:
    if present is None or (score is not None and (present.score is None or score > present.score)):
        return ""
    return f"its score {score} is not above {present.score} in use"


def _why(fresh: Artefact, present: Artefact | None) -> str:
    if present is None:
        return "The first one"
    return f"Its score {fresh.score:g} is above {present.score} of the one before"
