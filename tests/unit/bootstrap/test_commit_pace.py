from __future__ import annotations

from servitwin.bootstrap.commit_pace import FILES_A_STEP, LARGEST, CommitPace


def test_many_rows_are_committed_while_more_come_in() -> None:
    pace = CommitPace(100_000)
    assert not pace.due(99_999, 1, 0.0)
    assert pace.due(100_000, 2, 0.01)


def test_what_is_left_of_a_burst_is_committed_when_it_has_ended_however_little() -> None:
    pace = CommitPace(100_000)
    assert pace.due(100_000, 1, 0.0)
    assert not pace.due(7, 2, 0.01), "more may come"
    assert not pace.due(7, 2, 0.1)
    assert pace.due(7, 2, 0.12)
    assert not pace.due(0, 2, 0.2), "once is enough"


def test_a_burst_below_a_commit_ends_as_well() -> None:
    pace = CommitPace(100_000)
    assert not pace.due(20_000, 1, 0.0)
    assert pace.due(20_000, 1, 0.11)


def test_a_few_machines_at_rest_wait_for_their_time() -> None:
    pace = CommitPace(100_000)
    assert not any(pace.due(40 * second, second, second + part) for second in range(60) for part in (0.0, 0.5, 0.9))


def test_commits_grow_with_the_small_files_that_wait_and_shrink_again() -> None:
    pace = CommitPace(100_000)
    sizes = []
    for _ in range(20 * FILES_A_STEP):
        sizes.append(pace.rows)
        pace.committed()
    assert sizes[0] == 100_000
    assert sizes == sorted(sizes)
    assert sizes[FILES_A_STEP] == 200_000
    assert max(sizes) == 100_000 * LARGEST, "there is a bound"
    pace.kept(12)
    assert pace.rows == 100_000


def test_a_large_commit_does_not_wait_until_nothing_more_may_come_in() -> None:
    pace = CommitPace(100_000)
    pace.kept(10_000)
    assert not pace.due(120_000, 1, 0.0)
    assert pace.due(120_000, 2, 0.01, half_full=True), "few values a message: what waits is bounded in messages"
    assert not pace.due(5, 3, 0.02, half_full=True)
