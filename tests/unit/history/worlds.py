"""Small histories for property tests: any order of arrival, late rows, rows of the same time, a tail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st
from model import Model, Pair, Row, rows_of

from servitwin.domain.instant import HOUR
from servitwin.domain.observation import Cut
from servitwin.domain.signal import Reporting, SignalDefinition
from servitwin.engines.history import DeltaWriter, DuckReader, ipc_of

T0 = 1_789_948_800_000_000_000  # 2026-09-21T00:00:00Z
NUMBER: Pair = ("twin-a", "power")
SPARSE: Pair = ("twin-b", "power")
TEXT: Pair = ("twin-a", "mode")
FLAG: Pair = ("twin-b", "door")
PAIRS = [NUMBER, SPARSE, TEXT, FLAG]
GAPS = {SPARSE: 40 * 60 * 10**9, TEXT: 3 * HOUR}
VALUES: dict[Pair, st.SearchStrategy[object]] = {
    NUMBER: st.one_of(st.none(), st.sampled_from([0.0, 0.1, -2.5, 7.3, 1e6])),
    SPARSE: st.one_of(st.none(), st.floats(-1e3, 1e3).map(lambda v: round(v, 3))),
    TEXT: st.one_of(st.none(), st.sampled_from(["ACTIVE", "READY", "STOPPED"])),
    FLAG: st.one_of(st.none(), st.booleans()),
}
# Half of the times lie on whole quarters of an hour, so that some coincide with each other and with edges of buckets.
TIMES = st.one_of(st.integers(0, 160).map(lambda q: T0 + q * HOUR // 4), st.integers(T0, T0 + 40 * HOUR))


def apps(shard: int) -> str:
    return f"S/1/{shard}"


@dataclass
class World:
    """Commits in order of arrival, each (shard, rows); the last ``tail`` rows of each shard are not committed."""

    commits: list[list[Row]]
    tail: list[Row]

    @property
    def rows(self) -> list[Row]:
        return [r for c in self.commits for r in c] + self.tail

    @property
    def cut(self) -> Cut:
        cut: Cut = {}
        for r in self.rows:
            cut[r.shard] = max(cut.get(r.shard, -1), r.seq)
        return cut

    def model(self, cut: Cut | None = None) -> Model:
        return Model(self.rows, self.cut if cut is None else cut, GAPS)

    def write(self, folder: Path) -> None:
        for commit in self.commits:
            commit_rows(folder, commit)

    def tail_of(self, shard: int, after: int) -> bytes | None:
        own = [r for r in self.rows if r.shard == shard]  # the owner still keeps rows that are committed already
        if not own:
            return None
        return ipc_of([rows_of(own)], {shard: max(r.seq for r in own)}, {shard: -1})

    def reader(self, folder: Path) -> DuckReader:
        return DuckReader(folder, self.tail_of, define=define, threads=1)


def commit_rows(folder: Path, rows: Sequence[Row]) -> None:
    shard = rows[0].shard
    writer = DeltaWriter(folder, shard=shard, now=lambda: T0)
    writer.commit([rows_of(rows)], [], {apps(shard): max(r.seq for r in rows)}, {})


def define(twin: str, signal: str) -> SignalDefinition | None:
    kinds = {NUMBER: "number", SPARSE: "number", TEXT: "text", FLAG: "flag"}
    kind = kinds.get((twin, signal))
    if kind is None:
        return None
    return SignalDefinition(signal, type=kind, unit="kW", reporting=Reporting(max_gap=GAPS.get((twin, signal))))  # type: ignore[arg-type]


@st.composite
def worlds(draw: st.DrawFn, *, most_commits: int = 3) -> World:
    seqs = {0: 0, 1: 0}

    def message(shard: int) -> list[Row]:
        seqs[shard] += 1
        out = []
        for idx in range(draw(st.integers(1, 3))):
            pair = draw(st.sampled_from(PAIRS))
            out.append(Row(*pair, draw(TIMES), draw(VALUES[pair]), shard, seqs[shard], idx))  # type: ignore[arg-type]
        return out

    commits = []
    for _ in range(draw(st.integers(0, most_commits))):
        shard = draw(st.integers(0, 1))
        commits.append([r for _ in range(draw(st.integers(1, 8))) for r in message(shard)])
    tail = [r for _ in range(draw(st.integers(0, 4))) for r in message(draw(st.integers(0, 1)))]
    return World(commits, tail)
