"""The artefact of a trainer that teaches several models: those in use, each replaced only by a better one."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from servitwin.domain.error import Fault, InvalidInputError

FEWEST_FRESH = 5  # ends that the model in use has not learnt from, below which two models are not told apart
M = TypeVar("M")
C = TypeVar("C")


class ModelBook(msgspec.Struct, Generic[M, C], frozen=True):
    """Models by their key, and what became of the one that was learnt last.

    Attributes:
        generation: how many times a model was taken in or replaced by a better one.
        last: key of the model that was learnt last; accepted: whether it was taken in; verdict: why, or why not.
        candidate: how good the model learnt last is, also where it was not taken in.
        format: of the models; a book of another format is not read.
        against: digest of the model that the one learnt last was judged against; empty: there was none.
    """

    models: dict[str, M]
    generation: int
    last: str
    accepted: bool
    verdict: str
    candidate: C
    format: int
    against: str = ""

    def told(self, model: Callable[[M], dict[str, Any]]) -> dict[str, Any]:
        """The models as plain data; ``score`` grows when one became better."""
        return {
            "score": self.generation,
            "last": self.last,
            "accepted": self.accepted,
            "verdict": self.verdict,
            "candidate": msgspec.to_builtins(self.candidate),
            "models": {key: model(one) for key, one in sorted(self.models.items())},
        }


def model_key(machine_type: str, component: str) -> str:
    """Key of what is known of a component of a machine type."""
    return f"{machine_type}/{component}"


AnyBook = ModelBook[msgspec.Raw, msgspec.Raw]  # of whatever models, as they were written


def any_book(content: bytes) -> AnyBook | None:
    """A book whose models need not be understood; None: these bytes are none."""
    try:
        return msgspec.msgpack.decode(content, type=AnyBook)
    except msgspec.MsgspecError:
        return None


def only(content: bytes, key: str) -> bytes:
    """The book with the model of that key alone, as it was written; empty where it has none."""
    book = any_book(content)
    if book is None or key not in book.models:
        return b""
    return msgspec.msgpack.encode(msgspec.structs.replace(book, models={key: book.models[key]}))


def taken_in(
    text: str, book: ModelBook[M, C] | None, key: str, model: M, judged: tuple[bool, str], candidate: C, format: int
) -> ModelBook[M, C]:
    """The book after a model was learnt: with it where it is ``judged`` better, as it was where not.

    ``text`` is the book in use as the set gave it, base64, ``book`` what was read in it.
    """
    models = dict(book.models) if book is not None else {}
    known = any_book(base64.b64decode(text)) if text else None
    better, why = judged
    if better:
        models[key] = model
    generation = (book.generation if book is not None else 0) + better
    return ModelBook(models, generation, key, better, why, candidate, format, _digest(known, key))


def joined(fresh: AnyBook, present: AnyBook | None, score: float) -> tuple[AnyBook, str]:
    """The book in use with the model that was learnt last, and why it may not take its place (empty: it may).

    While it was learnt other models may have come into use: those stay. It was judged against the one that it
    replaces, or it does not replace it. ``score``: of what is in use; also where that can be read no more
    (``present`` is None, or of another format) the joined book is above it.
    """
    known = present if present is not None and present.format == fresh.format else None
    models = dict(known.models) if known is not None else {}
    new = fresh.models.get(fresh.last)
    if not fresh.accepted or new is None:
        return msgspec.structs.replace(fresh, models=models, generation=int(score)), fresh.verdict
    why = ""
    if known is not None and _digest(known, fresh.last) != fresh.against:
        why = f"It was not judged against the model of {fresh.last} that is in use now: train again"
    return msgspec.structs.replace(fresh, models=models | {fresh.last: new}, generation=int(score) + 1), why


def _digest(book: AnyBook | None, key: str) -> str:
    """Of one model as it was written; empty: there is none."""
    raw = book.models.get(key) if book is not None else None
    return "" if raw is None else "sha256:" + hashlib.sha256(raw).hexdigest()


def book_of_text(text: str, read: Callable[[bytes], ModelBook[M, C]], code: str) -> ModelBook[M, C] | None:
    """The book that a set names as the one in use, base64; empty: none.

    Raises:
        InvalidInputError: ``code``, and what ``read`` says.
    """
    if not text:
        return None
    try:
        return read(base64.b64decode(text, validate=True))
    except binascii.Error as e:
        hint = "Leave it out, or give an artefact"
        raise InvalidInputError(Fault(code, f"incumbent is no base64: {e}", hint, "incumbent")) from e
