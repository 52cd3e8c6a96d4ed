"""What came in already: the same (twin, session, seq) counts once, for good."""

from __future__ import annotations

import zlib
from array import array
from bisect import bisect_right
from hashlib import blake2b

import msgspec

MAX_INTERVALS = 4096
MAX_SESSIONS = 1024

# uid -> session -> [low, high, low, high, ...]
Marks = dict[str, dict[str, list[int]]]
_encode, _decode = msgspec.msgpack.encode, msgspec.msgpack.Decoder(Marks).decode


class Session:
    """Sequence numbers of one session of one twin as disjoint intervals, with what became of its values.

    At most ``MAX_INTERVALS`` are kept: a session with more holes than that forgets its lowest ones, and what
    comes in below ``floor`` can no longer be told from a repetition.
    """

    __slots__ = (
        "_highs",
        "_lows",
        "floor",
        "messages",
        "name",
        "next",
        "owner",
        "quarantined",
        "repeated",
        "start",
        "stored",
        "uid",
    )

    def __init__(self, uid: str, name: str) -> None:
        self.uid, self.name = uid, name
        self._lows: list[int] = []
        self._highs: list[int] = []
        self.floor = 0
        # One above the highest number seen, the number that is expected; -1 before the first one. The fast path
        # moves it alone, so that it says where the last interval ends.
        self.next = -1
        self.owner: Notes | None = None  # whose shard marked last
        self.start = -1  # where the stretch begins that ``next`` has extended and no note tells of; -1: there is none
        self.messages = self.stored = self.quarantined = self.repeated = 0

    def _settle(self) -> None:
        if self._highs:
            self._highs[-1] = self.next - 1

    def add(self, low: int, high: int) -> None:
        """Mark [low, high] as seen."""
        self._settle()
        lows, highs = self._lows, self._highs
        first = bisect_right(highs, low - 2)  # first interval that touches or follows
        last = bisect_right(lows, high + 1)  # one beyond the last interval that touches
        if first < last:
            low, high = min(low, lows[first]), max(high, highs[last - 1])
        lows[first:last], highs[first:last] = [low], [high]
        self.next = highs[-1] + 1
        if len(lows) > MAX_INTERVALS:
            self.floor = lows[1]
            del lows[0], highs[0]

    def __contains__(self, seq: int) -> bool:
        self._settle()
        i = bisect_right(self._lows, seq) - 1
        return i >= 0 and seq <= self._highs[i]

    def intervals(self) -> list[int]:
        """All of it, flat: low, high, low, high, ..."""
        self._settle()
        return [n for pair in zip(self._lows, self._highs, strict=True) for n in pair]


class Sessions:
    """All sessions of one twin; of more than ``MAX_SESSIONS`` the oldest leave only a hash behind."""

    __slots__ = ("_forgotten", "open", "uid")

    def __init__(self, uid: str) -> None:
        self.uid = uid
        self.open: dict[str, Session] = {}
        self._forgotten = array("Q")

    def get(self, name: str) -> Session | None:
        """The session, made if it is new; None if it was forgotten."""
        session = self.open.get(name)
        if session is None:
            if self._forgotten and _hash(name) in self._forgotten:
                return None
            session = self.open[name] = Session(self.uid, name)
            if len(self.open) > MAX_SESSIONS:
                oldest = next(iter(self.open))
                del self.open[oldest]
                self._forgotten.append(_hash(oldest))
        return session


class Notes:
    """What one shard has marked since its last commit: it travels with the commit of the very rows it belongs to."""

    __slots__ = ("_fresh", "extended")

    def __init__(self) -> None:
        self.extended: list[Session] = []  # sessions with a stretch that is not noted yet
        self._fresh: Marks = {}

    def first_time(self, session: Session | None, seq: int) -> bool | None:
        """Mark ``seq``; True if it is new, False if it is repeated, None if that cannot be told any more."""
        if session is None or seq < session.floor:
            return None
        if seq in session:
            return False
        if session.owner is not None:
            session.owner.settle(session)
        session.owner = self
        session.add(seq, seq)
        self._note(session, seq, seq)
        return True

    def settle(self, session: Session) -> None:
        """Note the stretch by which the fast path has extended a session."""
        if session.start >= 0:
            self._note(session, session.start, session.next - 1)
            session.start = -1

    def _note(self, session: Session, low: int, high: int) -> None:
        pairs = self._fresh.setdefault(session.uid, {}).setdefault(session.name, [])
        if pairs and pairs[-1] == low - 1:
            pairs[-1] = high
        else:
            pairs += (low, high)

    def take(self) -> bytes:
        """What was marked since the last call, packed; empty if nothing was."""
        for session in self.extended:
            if session.owner is self:
                self.settle(session)
        self.extended.clear()
        fresh, self._fresh = self._fresh, {}
        return pack(fresh) if fresh else b""


class Ledger:
    """Sessions of all twins."""

    def __init__(self) -> None:
        self.twins: dict[str, Sessions] = {}

    def of(self, uid: str) -> Sessions:
        """Sessions of a twin."""
        sessions = self.twins.get(uid)
        if sessions is None:
            sessions = self.twins[uid] = Sessions(uid)
        return sessions

    def absorb(self, packed: bytes) -> None:
        """Marks of a commit or a snapshot, read at the start."""
        for uid, sessions in unpack(packed).items():
            mine = self.of(uid)
            for name, pairs in sessions.items():
                session = mine.get(name)
                if session is not None:
                    for low, high in zip(pairs[::2], pairs[1::2], strict=True):
                        session.add(low, high)

    def snapshot(self) -> bytes:
        """All marks, packed."""
        return pack({uid: {name: s.intervals() for name, s in held.open.items()} for uid, held in self.twins.items()})


def pack(marks: Marks) -> bytes:
    """Marks as bytes."""
    return zlib.compress(_encode(marks), 1)


def unpack(packed: bytes) -> Marks:
    """Marks out of :func:`pack`."""
    return _decode(zlib.decompress(packed))


def _hash(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")
