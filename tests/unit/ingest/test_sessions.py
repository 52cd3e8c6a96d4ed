from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from servitwin.usecases.ingest import Shared
from servitwin.usecases.ingest import sessions as s
from tests.unit.ingest.given import NOW, Feed, FewTwins, rows_of


@given(st.lists(st.integers(0, 40)))
def test_intervals_know_what_a_set_knows(seqs: list[int]) -> None:
    session, seen = s.Session("u", "n"), set()
    for seq in seqs:
        assert (seq in session) == (seq in seen)
        session.add(seq, seq)
        seen.add(seq)
        flat = session.intervals()
        assert [n for a, b in zip(flat[::2], flat[1::2], strict=True) for n in range(a, b + 1)] == sorted(seen)
        assert session.next == max(seen) + 1


def sample(seq: int, session: str = "a") -> dict[str, object]:
    return {"time": NOW + seq, "values": {"load": seq}, "session": session, "seq": seq}


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 1), st.booleans()), max_size=40))
def test_each_seq_counts_once_over_both_shards_and_after_a_crash(events: list[tuple[int, int, bool]]) -> None:
    """Some blocks are committed, then the process is lost: notes of commits alone must know what is in the table."""
    shared = Shared(FewTwins())
    feeds = [Feed(shared, 0), Feed(shared, 1)]
    table: list[int] = []
    notes: list[bytes] = []
    uncommitted: list[list[int]] = [[], []]
    for seq, shard, commit in events:
        feeds[shard].ingest.feed([feeds[shard].raw(sample(seq))])
        uncommitted[shard].append(seq)
        if commit:
            block = feeds[shard].ingest.take()
            table += [int(r[7]) for r in rows_of(block.rows)]
            notes += [block.note] if block.note else []
            uncommitted[shard] = []
    again = Shared(FewTwins())
    for note in notes:
        again.ledger.absorb(note)
    for shard in (0, 1):
        feed = Feed(again, shard)
        block = feed.send(*map(sample, uncommitted[shard]))
        table += [int(r[7]) for r in rows_of(block.rows)]
    assert sorted(table) == sorted({seq for seq, _, _ in events})


def test_a_snapshot_holds_what_the_notes_held() -> None:
    feed = Feed()
    feed.send(*map(sample, [0, 1, 2, 7, 5]))
    other = s.Ledger()
    other.absorb(feed.shared.ledger.snapshot())
    assert other.of("uid-1").open["a"].intervals() == [0, 2, 5, 5, 7, 7]


def test_memory_of_marks_is_bounded_and_nothing_is_doubled_beyond_it() -> None:
    feed = Feed()
    feed.send(*(sample(2 * n) for n in range(s.MAX_INTERVALS + 10)))
    block = feed.send(sample(0))
    assert [q.code for q in block.quarantined] == ["session:forgotten"]
    assert not block.rows
    feed.send(*(sample(1, f"s{n}") for n in range(s.MAX_SESSIONS + 5)))
    block = feed.send(sample(1, "s0"))
    assert [q.code for q in block.quarantined] == ["session:forgotten"]
