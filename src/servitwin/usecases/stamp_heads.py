"""Have the newest tree head stamped by an authority now and then, where one is configured."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from servitwin.proof.log.head import read_head
from servitwin.proof.log.timestamp import HeadStamp, Request, ask_for, take_answer
from servitwin.usecases.log_ports import HeadFiles


class StampHeads:
    """Stamps for one log. ``post`` sends a question to the authority at ``url`` and returns its answer."""

    def __init__(self, heads: HeadFiles, url: str, post: Callable[[str, bytes], bytes]) -> None:
        self._heads, self._url, self._post = heads, url, post

    def stamp(self) -> HeadStamp | None:
        """Have the newest head stamped and keep that; None where nothing was added since the last stamp.

        Raises:
            UnavailableError: the authority does not answer, refuses, or answers something else.
        """
        raw = self._heads.head()
        if raw is None:
            return None
        head = read_head(raw)
        if head.head.size in self._heads.stamped():
            return None
        request: Request = ask_for(head)
        found = take_answer(head, request, self._post(self._url, request.content), self._url)
        self._heads.save_stamp(head.head.size, msgspec.json.encode(found))
        return found
