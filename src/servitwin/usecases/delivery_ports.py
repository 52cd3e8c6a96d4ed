"""What deliveries need of the records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from servitwin.domain.schedule.delivery_word import DeliveryWord


class DeliveryRecords(Protocol):
    """What was said of deliveries."""

    def add_delivery_words(self, words: Sequence[DeliveryWord]) -> list[DeliveryWord]: ...
    def delivery_words(self, refs: Sequence[str]) -> list[DeliveryWord]: ...
    def delivery_word(self, party: str, id: str) -> DeliveryWord | None: ...
    def newest_delivery_words(
        self, since: int, limit: int, about: str = "", after: DeliveryWord | None = None
    ) -> list[DeliveryWord]: ...
