"""Which steps people may take where a case stands."""

from __future__ import annotations

from servitwin.domain.case import CaseStanding, CaseStep, Closed, Diagnosed, Dismissed, Noted, Repaired, Shelved
from servitwin.domain.error import ConflictError, Fault, InvalidInputError, RefusedError
from servitwin.domain.instant import DAY

LONGEST_SHELF = 7 * DAY
LONGEST_NORMAL = 31 * DAY  # how far back something may be said to be normal: what was judged since is judged again


def check_step(now: CaseStanding, step: CaseStep) -> None:
    """Whether a person may take this step where the case stands.

    Raises:
        ConflictError: ``case:over``, ``case:out-of-turn``.
        RefusedError: ``case:safety-not-shelved``, ``case:proven-not-dismissed``.
        InvalidInputError: ``case:shelf-too-long``, ``case:reason-missing``, ``case:repair-in-future``,
            ``case:repair-before-violation``, ``case:normal-in-future``, ``case:normal-too-long-ago``.
    """
    body = step.body
    if step.number != len(now.steps) + 1:
        raise ConflictError(
            Fault("case:out-of-turn", "Somebody else acted on this case just now", "Read the case again", "number")
        )
    if not now.open and not isinstance(body, Noted):
        raise ConflictError(Fault("case:over", f"This case is {now.status}", "A new violation opens a new case"))
    match body:
        case Shelved(until=until, text=text):
            if now.case.severity == "safety":
                raise RefusedError(
                    Fault(
                        "case:safety-not-shelved",
                        "A safety requirement is not put aside",
                        "Mend the machine, or close the case with a reason that both parties read",
                    )
                )
            if not step.at < until <= step.at + LONGEST_SHELF:
                raise InvalidInputError(
                    Fault("case:shelf-too-long", "Shelving ends within seven days", "Give an earlier end", "until")
                )
            _need(text, "text")
        case Closed(text=text) | Noted(text=text):
            _need(text, "text")
        case Dismissed(text=text, normal_since=since):
            if not now.case.source:
                hint = "Mend the machine, change the requirement, or close the case with a reason"
                raise RefusedError(
                    Fault("case:proven-not-dismissed", "A violated requirement is proven: it is a fault", hint)
                )
            _need(text, "text")
            if since is not None and now.findings and since < now.findings[-1].start - LONGEST_NORMAL:
                hint = "Thirty-one days before the finding at most: from then on the machine is learnt anew"
                raise InvalidInputError(
                    Fault("case:normal-too-long-ago", "That is too long ago to be judged again", hint, "normal_since")
                )
            if since is not None and since > step.at:
                raise InvalidInputError(
                    Fault(
                        "case:normal-in-future",
                        "Nobody knows yet what is normal then",
                        "Now at the latest",
                        "normal_since",
                    )
                )
        case Diagnosed(cause=cause, text=text):
            _need(cause or text, "cause")
        case Repaired(what=what, done_at=done_at):
            _need(what, "what")
            if done_at > step.at:
                raise InvalidInputError(
                    Fault("case:repair-in-future", "The repair is dated after now", "Say it when done", "done_at")
                )
            if done_at < now.findings[0].start:
                raise InvalidInputError(
                    Fault(
                        "case:repair-before-violation",
                        "The repair is dated before the violation that it mends",
                        "Give the instant at which the machine was mended",
                        "done_at",
                    )
                )
        case _:
            pass


def _need(text: str, where: str) -> None:
    if not text.strip():
        raise InvalidInputError(Fault("case:reason-missing", "It is not said what or why", "Say it in words", where))
