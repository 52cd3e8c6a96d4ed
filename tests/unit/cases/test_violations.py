"""Violations from verdicts that become certain in any order."""

from hypothesis import given
from hypothesis import strategies as st

from servitwin.proof.monitor.trace import Piece, Verdict
from servitwin.proof.violations import Violations

T, F, U = Verdict.TRUE, Verdict.FALSE, Verdict.INCONCLUSIVE


def piece(start, end, verdict, determined=None):
    return Piece(start, end, verdict, 0.0, 0.0, end if determined is None else determined)


def told(changes):
    return [(c.kind, c.violation.first, c.violation.start, c.violation.end) for c in changes]


def test_a_violation_is_found_once_and_ends_once():
    v = Violations()
    assert told(v.take([piece(0, 5, T), piece(5, 8, F)], None)) == [("found", 5, 5, 8)]
    assert told(v.take([piece(8, 12, F)], None)) == [], "it goes on"
    assert told(v.take([piece(12, 13, T)], None)) == [("ended", 5, 5, 13 - 1)]
    assert v.open == []


def test_not_knowing_ends_it_too():
    v = Violations()
    assert told(v.take([piece(0, 3, F), piece(3, 9, U)], None)) == [("found", 0, 0, 3), ("ended", 0, 0, 3)]


def test_earlier_instants_that_become_certain_later_move_its_start():
    v = Violations()
    assert told(v.take([piece(5, 6, F), piece(6, 7, T)], 0)) == [("found", 5, 5, 6), ("ended", 5, 5, 6)]
    changes = v.take([piece(0, 5, F, 300)], None)
    assert told(changes) == [("ended", 5, 0, 6)], "the same violation, longer"


def test_two_that_turn_out_to_be_one():
    v = Violations()
    v.take([piece(0, 2, F, 2), piece(5, 6, F, 6), piece(6, 9, T)], 2)
    assert told(v.take([piece(2, 5, F, 300)], None)) == [("joined", 5, 5, 6), ("ended", 0, 0, 6)]


@given(st.lists(st.sampled_from([T, F, U]), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_any_order_ends_in_the_maximal_stretches(verdicts, rnd):
    pieces = [piece(i, i + 1, v, i + 1) for i, v in enumerate(verdicts)]
    pieces.append(piece(len(verdicts), len(verdicts) + 1, T))
    rnd.shuffle(pieces)
    v = Violations()
    living = {}
    waiting = {p.start for p in pieces}
    for p in pieces:
        waiting.discard(p.start)
        for change in v.take([p], min(waiting, default=None)):
            if change.kind == "joined":
                living.pop(change.violation.first)
            else:
                living[change.violation.first] = (change.violation.start, change.violation.end, change.kind)
    runs, start = [], None
    for i, verdict in enumerate([*verdicts, T]):
        if verdict is F and start is None:
            start = i
        elif verdict is not F and start is not None:
            runs.append((start, i, "ended"))
            start = None
    assert sorted(living.values()) == runs
