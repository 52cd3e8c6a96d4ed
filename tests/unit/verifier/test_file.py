"""The writer's side: columns that unpack exactly, an hour that is small, fixtures of the browser, the certificate."""

from __future__ import annotations

import io
import json
import math

import numpy as np
import pypdf
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from typer.testing import CliRunner

from servitwin.bootstrap.starters import starters
from servitwin.cli.app import create_cli
from servitwin.domain.error import InvalidInputError
from servitwin.formats.certificate_pdf import certificate_pdf
from servitwin.proof.file.columns import pack_real, pack_whole
from servitwin.proof.file.joint_path import hidden_of_paths, hidden_of_tree
from servitwin.proof.file.wire import canonical, plain
from servitwin.proof.log.statement import exact_instant
from servitwin.proof.verifier import canonical as own
from servitwin.proof.verifier import merkle, shape, verify
from servitwin.proof.verifier.columns import read_columns
from tests.conftest import ROOT
from tests.unit.verifier.hour import hour_of_ten_signals
from tests.unit.verifier.little_log import T0, consistency, mth, path, sha
from tests.unit.verifier.scene import MAKER, PLANT, Scene

WHOLE = st.integers(-(2**63), 2**63 - 1)


@given(st.one_of(st.lists(WHOLE), st.lists(st.integers(-5, 5)), st.lists(st.integers(T0, T0 + 10**12))))
def test_whole_numbers_unpack_exactly(values: list[int]) -> None:
    packed = json.loads(canonical(pack_whole(np.array(values, np.int64))))
    assert read_columns([packed]) == [values]


@given(st.one_of(
    arrays.arrays(np.float64, st.integers(0, 50), elements=st.floats(allow_nan=False, allow_infinity=False)),
    arrays.arrays(np.float64, st.integers(0, 50), elements=st.integers(-10000, 10000).map(lambda k: k / 100 or -0.0)),
))  # fmt: skip
def test_numbers_unpack_to_the_same_bits(values: np.ndarray) -> None:
    packed = json.loads(canonical(pack_real(values)))
    assert np.array(read_columns([packed])[0], np.float64).tobytes() == values.tobytes()


def test_two_decimals_are_packed_small() -> None:
    values = np.round(np.sin(np.arange(1000)), 2)
    packed = pack_real(values)
    assert packed["scale"] == 2 and len(packed["data"]) < 1500


@given(st.integers(1, 40), st.data())
def test_joint_paths_lead_to_the_root_and_none_other_does(size: int, data: st.DataObject) -> None:
    leaves = [sha(bytes([i])) for i in range(size)]
    shown = data.draw(st.sets(st.integers(0, size - 1), min_size=1))
    hidden = hidden_of_tree(leaves, shown)
    assert hidden == hidden_of_paths(size, {i: path(i, leaves) for i in shown})
    assert merkle.root_from({i: leaves[i] for i in shown}, size, hidden, "") == mth(leaves) == merkle.root_of(leaves)
    other = {i: leaves[i] for i in shown}
    other[min(shown)] = sha(b"other")
    assert merkle.root_from(other, size, hidden, "") != mth(leaves)


@given(st.integers(1, 40), st.data())
def test_consistency_is_that_of_the_standard(size: int, data: st.DataObject) -> None:
    leaves = [sha(bytes([i])) for i in range(size)]
    old = data.draw(st.integers(1, size))
    proof = consistency(old, leaves)
    assert merkle.consistent(old, mth(leaves[:old]), size, mth(leaves), proof)
    forked = [sha(b"x"), *leaves[1:]]
    assert not merkle.consistent(old, mth(forked[:old]), size, mth(leaves), proof)
    assert not merkle.consistent(old, mth(leaves[:old]), size, mth(leaves), [*proof, sha(b"y")])


def test_vectors_of_rfc_6962() -> None:
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    root = merkle.root_of(merkle.leaf(bytes.fromhex(i)) for i in inputs)
    assert root.hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    assert merkle.EMPTY.hex().startswith("e3b0c442")


@given(st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), st.text(),
              st.floats(allow_nan=False, allow_infinity=False)),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)), max_leaves=10,
))  # fmt: skip
def test_canonical_json_is_that_of_another_implementation(value: object) -> None:
    written = rfc8785.dumps(value)  # type: ignore[arg-type]
    assert own.write(json.loads(written)) == written
    assert own.read(written) == json.loads(written)


@given(st.integers(-(2**62), 2**62))
def test_times_are_written_and_read_back(ns: int) -> None:
    assert shape.instant(exact_instant(ns), "") == ns
    assert shape.time_text(ns) == exact_instant(ns)


def test_nan_is_no_evidence_and_infinity_a_word() -> None:
    assert plain([math.inf, -math.inf, 80.0, 2**60]) == ["inf", "-inf", 80, str(2**60)]
    with pytest.raises(ValueError, match="NaN"):
        plain(math.nan)


def test_an_hour_of_ten_signals_is_small_and_proven() -> None:
    hour = hour_of_ten_signals()
    content = hour.build()
    assert len(content) < 2_000_000
    found = verify(content, hour.keys)
    assert found.ok, (found.code, found.message)
    assert found.details["triggered"] in range(54, 70)  # once a minute, and a few that tremble


def test_the_fixture_of_the_browser_is_up_to_date() -> None:
    folder = ROOT / "ui" / "src" / "proof"
    assert (folder / "violated.proof").read_bytes() == Scene().build()
    assert json.loads((folder / "violated.keys.json").read_text()) == [MAKER.row(), PLANT.row()]


def test_the_certificate_says_what_is_proven_and_what_is_not() -> None:
    content = Scene().build()
    found = verify(content, [MAKER.row(), PLANT.row()])
    address = "https://maker.example/app/proofs/1"
    pdf = certificate_pdf(content, found.title, found.proven, found.not_proven, address)
    text = " ".join(" ".join(p.extract_text() for p in pypdf.PdfReader(io.BytesIO(pdf)).pages).split())
    assert text.startswith("Certificate of a violation")
    digest = "sha256:" + sha(content).hex()
    for words in ("M-77", digest, "co-signed by plant", "gateway", address, "This page proves nothing by itself"):
        assert words in text
    assert pdf == certificate_pdf(content, found.title, found.proven, found.not_proven, address)
    for wrong in (b"", b"{}", b"[]", b'{"claim":1}', b'{"claim":{"kind":"sold"},"proof":"servitwin-proof@1"}'):
        with pytest.raises(InvalidInputError, match="not-readable"):
            certificate_pdf(wrong, "", (), (), address)
    with pytest.raises(InvalidInputError, match="too-long"):
        certificate_pdf(content, "", (), (), "https://" + "x" * 1000)


def test_the_command_knows_proof_files(tmp_path) -> None:
    (tmp_path / "a.proof").write_bytes(Scene().build())
    (tmp_path / "keys.json").write_text(json.dumps([MAKER.row(), PLANT.row()]))
    app, runner = create_cli(starters()), CliRunner()

    def run(*arguments: str) -> tuple[int, str]:
        found = runner.invoke(app, ["verify", *(str(tmp_path / a) if "." in a else a for a in arguments)])
        return found.exit_code, found.output

    code, text = run("a.proof", "--keys", "keys.json")
    assert code == 0 and text.startswith("PROVEN: Mill 1")
    code, text = run("a.proof", "--json")
    assert code == 0 and json.loads(text)["who_known"] is False
    (tmp_path / "b.proof").write_bytes(Scene().build().replace(b"M-77", b"M-78"))
    code, text = run("b.proof", "--keys", "keys.json")
    assert code == 1 and "proof:seal-broken" in text
    assert run("a.proof", "--observations", "x.csv")[0] == 2
    assert run("keys.json", "--head", "keys.json")[0] == 2
    assert run("a.proof", "--witness", "no.where")[0] == 2
    assert run("no.proof")[0] == 2
