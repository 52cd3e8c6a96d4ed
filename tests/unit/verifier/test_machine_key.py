"""What a proof file says of signatures made at the machine: whose word it is, and what is not shown."""

from __future__ import annotations

from servitwin.proof.verifier import verify
from tests.unit.verifier.little_log import T0, S, at
from tests.unit.verifier.scene import TWIN, Scene, refused, resealed

ALL = frozenset(range(3))


def state(scene: Scene, key: str = "k1", twin: str = TWIN) -> None:
    body = {"key": key, "public_key": "", "name": "gateway", "since": at(T0 - 60 * S)}
    scene.log.add(scene.maker, "machine-key", body, T0 - 70 * S, twin=twin)


def revoke(scene: Scene, since: int, key: str = "k1") -> None:
    body = {"key": key, "from": at(since), "reason": "stolen", "unsigned": False}
    scene.log.add(scene.maker, "machine-key-revoked", body, T0 + 40 * S, twin=TWIN)


def test_without_a_key_the_word_begins_at_the_node() -> None:
    found = verify(Scene().build())
    assert found.ok
    assert any("no key of it signed them, the word begins at maker" in line for line in found.not_proven)
    assert (found.details["segments_of_machine"], found.details["segments_signed_at_machine"]) == (3, 0)


def test_with_a_key_it_is_told_who_says_that_it_was_signed() -> None:
    scene = Scene(signed=ALL)
    state(scene)
    found = verify(scene.build())
    assert found.ok
    [said] = [line for line in found.proven if "the machine's own key" in line]
    assert said.startswith("maker states, in each of the 3 segments")
    assert "k1 of entry 5" in said
    assert any("not in this file, and that they were good is maker's word" in line for line in found.not_proven)
    assert not any("no key of it" in line for line in found.not_proven)


def test_segments_that_do_not_say_so_are_counted() -> None:
    scene = Scene(signed=frozenset({0, 2}))
    state(scene)
    found = verify(scene.build())
    assert not any("the machine's own key" in line for line in found.proven)
    assert any("the observations of 1 of the 3 segments" in line for line in found.not_proven)


def test_a_segment_that_says_so_without_a_stated_key_shows_nothing() -> None:
    found = verify(Scene(signed=ALL).build())
    assert not any("the machine's own key" in line for line in found.proven)
    assert found.details["segments_signed_at_machine"] == 0


def test_a_revoked_key_is_told() -> None:
    scene = Scene(signed=ALL)
    state(scene)
    revoke(scene, T0 + 5 * S)
    found = verify(scene.build())
    assert any("What the machine's key k1 signed from" in line for line in found.not_proven)
    later = Scene(signed=ALL)
    state(later)
    revoke(later, T0 + 3600 * S)
    assert not any("key k1 signed from" in line for line in verify(later.build()).not_proven)


def test_a_key_of_another_machine_is_refused() -> None:
    scene = Scene(signed=ALL)
    state(scene, twin="0200-robot")
    refused(verify(scene.build()), "statement-elsewhere")


def test_nobody_adds_the_word_afterwards() -> None:
    scene = Scene(signed=ALL)
    state(scene)
    content = scene.build()

    def drop(file: dict) -> None:  # type: ignore[type-arg]
        for row in file["statements"]["entries"]:
            row["entry"]["content"]["body"].pop("signed", None)

    refused(verify(resealed(content, drop)), "entry-not-in-log")


def test_a_revocation_that_the_file_hides_is_in_the_readers_copy(tmp_path) -> None:
    scene = Scene(signed=ALL)
    state(scene)
    revoke(scene, T0 + 5 * S)
    hidden = len(scene.log.entries) - 1
    scene.state_verdict(scene.claim, T0 + 50 * S)
    content = scene.written(shown={i for i in range(len(scene.log.entries)) if i != hidden})
    assert not any("key k1 signed from" in line for line in verify(content).not_proven)
    scene.log.write_entries(tmp_path / "copy")
    found = verify(content, witness=tmp_path / "copy")
    assert found.ok, found.message
    assert any("key k1 signed from" in line for line in found.not_proven)
