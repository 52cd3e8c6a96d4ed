"""The tree of RFC 9162: published vectors, and proofs that hold for what they prove and for nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servitwin.proof.log.merkle import (
    MemoryTree,
    consistency,
    inclusion,
    is_consistent,
    is_included,
    leaf_hash,
)

# The entries and roots that the reference implementation of RFC 6962 is tested with.
ENTRIES = [
    bytes.fromhex(e)
    for e in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def tree(size: int) -> MemoryTree:
    return MemoryTree([leaf_hash(b"entry %d" % i) for i in range(size)])


def test_published_roots_and_proofs() -> None:
    found = MemoryTree([leaf_hash(e) for e in ENTRIES])
    assert [found.root(n).hex() for n in range(9)] == ROOTS
    path = [h.hex() for h in inclusion(0, 8, found.node)]
    assert path == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert [h.hex() for h in consistency(6, 8, found.node)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@given(st.integers(1, 70), st.data())
def test_every_entry_is_proved_and_no_other_in_its_place(size: int, data: st.DataObject) -> None:
    whole = tree(size)
    index, other = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size - 1))
    path = inclusion(index, size, whole.node)
    leaf = leaf_hash(b"entry %d" % index)
    assert is_included(leaf, index, size, path, whole.root())
    if other != index:
        assert not is_included(leaf_hash(b"entry %d" % other), index, size, path, whole.root())
        assert not is_included(leaf, other, size, path, whole.root())
    assert not is_included(leaf, index, size, [*path, path[-1] if path else leaf], whole.root())
    assert not is_included(leaf, size, size, path, whole.root())
    for n in range(len(path)):
        assert not is_included(leaf, index, size, [*path[:n], *path[n + 1 :]], whole.root())
        swapped = bytes([path[n][0] ^ 1]) + path[n][1:]
        assert not is_included(leaf, index, size, [*path[:n], swapped, *path[n + 1 :]], whole.root())


@given(st.integers(0, 70), st.integers(0, 70))
def test_a_log_that_grew_is_consistent(a: int, b: int) -> None:
    old, new = sorted((a, b))
    whole = tree(new)
    path = consistency(old, new, whole.node)
    assert is_consistent(old, new, whole.root(old), whole.root(), path)
    assert not is_consistent(old, new, leaf_hash(b"?"), whole.root(), path)
    if 0 < old < new:
        assert not is_consistent(old, new, whole.root(old), leaf_hash(b"?"), path)
        assert not is_consistent(old, new, whole.root(old), whole.root(), path[:-1])
        assert not is_consistent(new, old, whole.root(), whole.root(old), path)


@given(st.integers(2, 60), st.data(), st.sampled_from(["altered", "dropped", "reordered", "repeated"]))
def test_a_log_that_was_rewritten_is_not(size: int, data: st.DataObject, how: str) -> None:
    old = data.draw(st.integers(2, size))
    place = data.draw(st.integers(0, old - 2))
    entries = [b"entry %d" % i for i in range(size)]
    forged = list(entries)
    if how == "altered":
        forged[place] = b"entry x"
    elif how == "dropped":
        del forged[place]
        forged.append(b"filled up")
    elif how == "repeated":
        forged.insert(place, forged[place])
    else:
        forged[place], forged[place + 1] = forged[place + 1], forged[place]
    honest, other = MemoryTree([leaf_hash(e) for e in entries]), MemoryTree([leaf_hash(e) for e in forged])
    for path in (consistency(old, len(forged), other.node), consistency(old, size, honest.node)):
        assert not is_consistent(old, len(forged), honest.root(old), other.root(), path)


@given(st.lists(st.integers(0, 9), max_size=12))
def test_growing_in_batches_gives_the_same_tree(batches: list[int]) -> None:
    grown, at = MemoryTree(), 0
    for batch in batches:
        grown.append([leaf_hash(b"entry %d" % i) for i in range(at, at + batch)])
        at += batch
    assert grown.root() == tree(at).root()


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3)])
def test_no_proof_of_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="not among"):
        inclusion(index, size, tree(3).node)
