"""What trainings of all kinds of models share: the book in use, who is refused, and what is due by itself."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

import msgspec

from servitwin.domain.error import Fault, InvalidInputError, RefusedError
from servitwin.domain.instant import DAY
from servitwin.domain.job import Job
from servitwin.domain.model_book import FEWEST_FRESH, C, M, ModelBook, only
from servitwin.domain.party import Actor
from servitwin.domain.twin import Twin
from servitwin.usecases.assign_service import Assignment, assignments
from servitwin.usecases.jobs import Jobs, in_use
from servitwin.usecases.life_teachers import Teacher
from servitwin.usecases.ports import Files, Records
from servitwin.usecases.registry import Registry

log = logging.getLogger("servitwin.services")
GROWTH = 1.25  # times as many ends of life or failures as the model in use was learnt from make a new training due
AGAIN = DAY  # after which a training that came to nothing is asked for again
K = TypeVar("K")


class BookInUse(msgspec.Struct, Generic[M, C], frozen=True):
    """The models of a trainer that a party uses; none of them: empty texts and no book.

    Attributes:
        digest, content: of the artefact.
    """

    digest: str = ""
    content: bytes = b""
    book: ModelBook[M, C] | None = None

    def model(self, key: str) -> M | None:
        """The model of that key."""
        return self.book.models.get(key) if self.book is not None else None

    def text(self, key: str) -> str:
        """The book with that model alone, base64, as sets give it; empty: there is none."""
        return base64.b64encode(only(self.content, key)).decode()


def book_in_use(
    records: Records, files: Files, trainer: str, party: str, read: Callable[[bytes], ModelBook[M, C]]
) -> BookInUse[M, C]:
    """The book that a party uses; one that is read no more is none, so that what it held is learnt anew."""
    artefact = in_use(records, trainer, party)
    content = files.get(artefact.digest) if artefact is not None else None
    if artefact is None or content is None:
        return BookInUse()
    try:
        return BookInUse(artefact.digest, content, read(content))
    except InvalidInputError:
        return BookInUse()


def assigned_by(
    records: Records, registry: Registry, service: str, key: Callable[[Twin, Assignment], K | None]
) -> dict[K, list[tuple[Twin, Assignment]]]:
    """Twins that a service runs on, grouped by a key; without one (None) they are left out."""
    groups: dict[K, list[tuple[Twin, Assignment]]] = {}
    for a in assignments(records):
        twin = registry.by_uid(a.twin)
        found = key(twin, a) if a.service == service and twin is not None else None
        if found is not None and twin is not None:
            groups.setdefault(found, []).append((twin, a))
    return groups


def require_teachers(teachers: Sequence[Teacher], code: str) -> None:
    """Refuse a training that no machine's user has agreed to, with the reason of each machine.

    Raises:
        RefusedError: ``code``.
    """
    if not any(t.permitted for t in teachers):
        hint = 'Ask their users for a grant of the purpose "fleet learning"'
        raise RefusedError([Fault(code, t.why, hint, t.twin) for t in teachers])


class Candidate(msgspec.Struct, frozen=True):
    """A training that may be due.

    Attributes:
        key, about: of its model, and of the job that learns it; ends: when the lives or failures that may teach ended.
        learnt: how many the model in use has learnt from; None: there is none. drifts: whether it holds no longer.
        ask: asks for it.
    """

    key: str
    about: str
    ends: Sequence[int]
    learnt: int | None
    drifts: Callable[[], bool]
    ask: Callable[[Actor], Job]


class _Tried(msgspec.Struct):
    """What became of the trainings of a model.

    Attributes:
        count, newest: ends, and the newest of them (ns UTC), of the last training that was done; 0: none was.
        job, at: the training asked for last (empty: it was refused), and when; asked: its count and newest.
    """

    count: int = 0
    newest: int = 0
    job: str = ""
    at: int = 0
    asked: tuple[int, int] = (0, 0)


def ask_due(
    records: Records, jobs: Jobs, trainer: str, party: str, candidates: Iterable[Candidate], now: int
) -> list[Job]:  # fmt: skip
    """Ask for each training that is due: the first one, one with many more ends, one by drift.

    Where one was done, the same data would give the same verdict: another waits for ends that are new since. One that
    was refused, failed or cancelled is asked for again the day after.
    """
    actor = Actor("servitwin", "system", party, ("service_manager",))
    setting = f"trainings:{trainer}:{party}"
    tried = msgspec.json.decode(records.setting(setting) or "{}", type=dict[str, _Tried])
    before, asked = msgspec.json.encode(tried), list[Job]()
    try:
        for one in candidates:
            if any(j.state in ("waiting", "running") for j in jobs.of(actor, trainer, one.about, 5)):
                continue
            last = tried.setdefault(one.key, _Tried())
            _look_back(records, last)
            if (last.at and now - last.at < AGAIN) or not _is_due(one, last):
                continue
            last.job, last.at, last.asked = "", now, (len(one.ends), max(one.ends, default=0))
            try:
                job = one.ask(actor)
            except (InvalidInputError, RefusedError) as e:
                log.info("no %s: %s", one.about, e)
                continue
            last.job = job.id
            asked.append(job)
    finally:
        if msgspec.json.encode(tried) != before:
            records.set_setting(setting, msgspec.json.encode(tried).decode())
    return asked


def _look_back(records: Records, last: _Tried) -> None:
    """Remember what the last training learnt from, if it was done."""
    job = records.job(last.job) if last.job else None
    if job is not None and job.state == "done":
        last.count, last.newest = last.asked
        last.job, last.at = "", 0


def _is_due(one: Candidate, last: _Tried) -> bool:
    count = len(one.ends)
    if not last.count:
        return one.learnt is None or count >= GROWTH * one.learnt or one.drifts()
    more = max(count - last.count, sum(t > last.newest for t in one.ends))  # days too old to teach take ends away
    return more >= (GROWTH - 1) * last.count or (more >= FEWEST_FRESH and one.learnt is not None and one.drifts())
