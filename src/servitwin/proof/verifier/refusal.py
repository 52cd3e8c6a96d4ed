"""What the verifier says when it refuses: a code for programs, a sentence for people, and the place."""

from __future__ import annotations


class RefusedError(Exception):
    """The proof is not accepted.

    Attributes:
        code: ``proof:what-is-wrong``, stable.
        message: what is wrong, in a sentence.
        where: part of the file (``excerpt.segments[3]``), entry of the log, or segment with its times.
    """

    def __init__(self, code: str, message: str, where: str = "") -> None:
        super().__init__(f"{where}: {message} [{code}]" if where else f"{message} [{code}]")
        self.code, self.message, self.where = code, message, where
