"""Time stamps of an authority (RFC 3161) on tree heads: a log was so at an instant that its owner cannot choose."""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from servitwin.domain.canonical_json import canonical
from servitwin.domain.error import Fault, InvalidInputError, UnavailableError
from servitwin.proof.log.head import SignedHead

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

_GRANTED = (0, 1)  # PKIStatus (RFC 3161, 2.4.2): granted, granted with modifications
_EPOCH_DAY = 719_163  # of 1970-01-01, as date.toordinal counts
_DAY_US = 86_400_000_000


class HeadStamp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed head and what an authority answered about it.

    Attributes:
        head: what is stamped: the SHA-256 of its ``head`` as canonical JSON.
        authority: URL that was asked.
        response: ``TimeStampResp`` (DER) as base64, with the certificate that signed it.
        time: when the authority says that it saw the hash (ns UTC), as it stands in the response.
    """

    head: SignedHead
    authority: str
    response: str
    time: int


class Request(msgspec.Struct, frozen=True):
    """A question to an authority: DER bytes, and the number that its answer has to repeat."""

    content: bytes
    nonce: int | None


def ask_for(head: SignedHead) -> Request:
    """The question for a head: SHA-256, with a fresh nonce and the wish for the authority's certificate."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder  # noqa: PLC0415 - for who stamps alone

    made = TimestampRequestBuilder().data(canonical(head.head)).hash_algorithm(HashAlgorithm.SHA256).build()
    return Request(made.as_bytes(), made.nonce)


def take_answer(head: SignedHead, request: Request, answer: bytes, authority: str) -> HeadStamp:
    """What an authority answered, if it belongs to the question.

    Its signature is not judged here: whom to trust is for the one who relies on it (:func:`verified_time`).

    Raises:
        UnavailableError: ``timestamp:refused``, ``timestamp:malformed``, ``timestamp:of-something-else``.
    """
    try:
        response = _decoded(answer)
    except InvalidInputError as e:
        raise UnavailableError(e.fault) from None
    if response.status not in _GRANTED:
        said = "; ".join(response.status_string) or f"status {response.status}"
        raise UnavailableError(Fault("timestamp:refused", f"{authority} refuses: {said}", "Ask who runs the authority"))
    info = response.tst_info
    if info.message_imprint.message != _imprint(head) or info.nonce != request.nonce:
        message = f"{authority} answered another question"
        raise UnavailableError(Fault("timestamp:of-something-else", message, "Do not trust this authority"))
    return HeadStamp(head, authority, base64.b64encode(answer).decode(), _time_of(response))


def verified_time(stamp: HeadStamp, roots: bytes) -> int:
    """When the authority saw the head (ns UTC): certificates were valid then and lead to one of ``roots`` (PEM).

    The library checks the signature, the chain, that the certificate is one for time stamps (critical), and the hash.

    Raises:
        InvalidInputError: ``timestamp:roots`` where there is no certificate in ``roots``, ``timestamp:malformed``,
            ``timestamp:not-verified`` with the reason, ``timestamp:of-something-else`` where ``time`` is another.
    """
    from cryptography import x509  # noqa: PLC0415 - for who verifies alone
    from rfc3161_client import VerificationError, VerifierBuilder  # noqa: PLC0415 - as above

    try:
        trusted = x509.load_pem_x509_certificates(roots)
    except ValueError as e:
        hint = "Name the PEM file of the authority's root"
        raise InvalidInputError(Fault("timestamp:roots", f"No certificate can be read: {e}", hint)) from None
    try:
        content = base64.b64decode(stamp.response, validate=True)
    except binascii.Error as e:
        raise _malformed(str(e)) from None
    response = _decoded(content)
    verifier = VerifierBuilder(roots=list(dict.fromkeys(trusted))).build()
    try:
        verifier.verify(response, _imprint(stamp.head))
    except (VerificationError, ValueError) as e:
        hint = "It proves nothing: keep it, and ask the owner of the log"
        raise InvalidInputError(Fault("timestamp:not-verified", str(e), hint)) from None
    time = _time_of(response)
    if time != stamp.time:
        message = "The time that is told is not the one in the authority's answer"
        raise InvalidInputError(Fault("timestamp:of-something-else", message, "Trust the answer alone"))
    return time


def _decoded(content: bytes) -> TimeStampResponse:
    from rfc3161_client import decode_timestamp_response  # noqa: PLC0415 - for who stamps or verifies alone

    try:
        response = decode_timestamp_response(content)
        if response.status in _GRANTED:
            _ = response.tst_info  # read when it is asked for
    except ValueError as e:
        raise _malformed(str(e)) from None
    return response


def _malformed(what: str) -> InvalidInputError:
    return InvalidInputError(Fault("timestamp:malformed", f"This is no answer of a time-stamp authority: {what}"))


def _imprint(head: SignedHead) -> bytes:
    return hashlib.sha256(canonical(head.head)).digest()


def _time_of(response: TimeStampResponse) -> int:
    at = response.tst_info.gen_time
    day = (at.date().toordinal() - _EPOCH_DAY) * _DAY_US
    within = timedelta(hours=at.hour, minutes=at.minute, seconds=at.second, microseconds=at.microsecond)
    return (day + within // timedelta(microseconds=1)) * 1000
