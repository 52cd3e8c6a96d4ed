"""A new production plan is asked for by itself when reality is no longer what the published one was made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from servitwin.domain.error import InvalidInputError, ServitwinError
from servitwin.domain.instant import NS
from servitwin.domain.job import Job
from servitwin.domain.party import Actor
from servitwin.domain.register import RegisterEntry
from servitwin.domain.schedule.master_data import Replanning
from servitwin.usecases.plan_production import ABOUT, PUBLISHED, SERVICE, PlanProduction, Tell
from servitwin.usecases.ports import Records

ENTRY = "production"
SETTLE = 2 * NS
"""Registers are read once nothing was written in them for this long: an import is one change, not a thousand."""
MOST_WORDS = 10
_WORDS = {
    "orders": "order", "routings": "routing of", "materials": "material", "crews": "crew",
    "workplaces": "workplace", "blocked_times": "blocked time",
}  # fmt: skip
Down = Callable[[str], Mapping[str, int]]
"""Machines of a party that are down by their own state, with since when (ns UTC)."""


class ReplanProduction:
    """Looks at each party that wants it. What it asks for is a proposal: nobody's published plan changes by itself.

    What has changed is told from the records alone (written after the published plan and after the newest plan that
    was asked for), so that a restart forgets nothing and whoever asks by hand is not answered twice. Machines that
    broke down or came back are compared with the round before.
    """

    def __init__(self, records: Records, now: Callable[[], int]) -> None:
        self._records, self._now = records, now
        self._down: dict[str, frozenset[str]] = {}
        self._refused: dict[str, int] = {}  # when there was no problem to solve; until something else changes

    def round(self, plans: PlanProduction, down: Down, tell: Tell) -> list[Job]:
        """Ask where something has changed; ``tell`` hears why, or why there can be no plan. Returns what was asked."""
        parties = [p.id for p in self._records.parties()]
        asked = []
        for wish in self._records.register_entries("replanning", parties):
            how = msgspec.convert(wish.body, Replanning)
            published = self._records.register_entry("production_plans", wish.party, PUBLISHED)
            if wish.id != ENTRY or not how.on or published is None or published.removed:
                continue
            now_down = down(wish.party)
            why = self._changed(wish.party, self._since(wish.party, published), now_down)
            if why:
                asked += self._ask(plans, tell, wish.party, how, now_down, why)
        return asked

    def _since(self, party: str, published: RegisterEntry) -> int:
        newest = self._records.jobs_of([party], SERVICE, ABOUT, 1)
        return max(published.at, self._refused.get(party, 0), *(job.at for job in newest))

    def _changed(self, party: str, since: int, down: Mapping[str, int]) -> list[str]:
        """What has changed, in words; nothing while registers are still being written."""
        before = self._down.get(party)
        written = self._records.register_changes(tuple(_WORDS), party, since)
        if written and written[-1].at > self._now() - SETTLE:
            return []
        self._down[party] = frozenset(down)
        broken = [id for id, at in down.items() if at > since or (before is not None and id not in before)]
        back = sorted((before or frozenset()) - set(down))
        told = [f"{id} is down" for id in sorted(broken)] + [f"{id} is back" for id in back]
        return told + [f"{_WORDS[e.kind]} {e.id} {_what_happened(e)}" for e in written]

    def _ask(
        self, plans: PlanProduction, tell: Tell, party: str, how: Replanning, down: Mapping[str, int], why: list[str]
    ) -> list[Job]:
        actor = Actor("servitwin", "system", party, ("production_manager",))
        more = [f"and {len(why) - MOST_WORDS} more"] if len(why) > MOST_WORDS else []
        reasons = [*why[:MOST_WORDS], *more]
        try:
            job = plans.ask(actor, party, down, budget_s=how.budget_s, freeze_minutes=how.freeze_minutes)
        except ServitwinError as e:
            # A refusal for another reason than the registers (too many jobs wait) may be over at the next look.
            if isinstance(e, InvalidInputError):
                self._refused[party] = self._now()
                tell(
                    party, {"happened": "no-plan", "why": reasons, "faults": [f.message for f in e.faults[:MOST_WORDS]]}
                )
            return []
        tell(party, {"happened": "asked-anew", "job": job.id, "why": reasons})
        return [job]


def _what_happened(entry: RegisterEntry) -> str:
    if entry.removed:
        return "was removed"
    return "is new" if entry.revision == 1 else "changed"
