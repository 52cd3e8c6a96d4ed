"""Who may state the key that a party co-signs with: it is believed by everybody who reads the log."""

from __future__ import annotations

from api_node import T0

from servitwin.domain.instant import format_instant

HASH = "0" * 64
HEAD = {"head": {"log": "l", "size": 1, "root": HASH, "made": format_instant(T0)}, "key": "k", "signature": "AAAA"}


def said(*keys):
    signed = {"party": "acme", "key": "k", "signature": "AAAA", "seen": format_instant(T0)}
    return {"head": HEAD, "cosignature": signed, "key_entries": list(keys)}


def test_a_person_who_only_reads_states_no_key_of_the_party(anna, adam, node):
    path = "/api/v1/log/heads/1/cosignatures"
    refused = anna.post(path, json=said("{}"))
    assert (refused.status_code, refused.json()["code"]) == (403, "access:not-permitted")
    token = adam.post("/api/v1/tokens", json={"label": "witness", "roles": ["viewer"]}).json()["token"]
    asked = []
    node.bus.answers["ask.evidence"] = lambda question: asked.append(question) or b"{}"
    with node.program(token) as witness:
        witness.post(path, json=said("{}"))
        anna.post(path, json=said())
        adam.post(path, json=said("{}"))
    assert len(asked) == 3, "whoever may is let through to the log, which judges the signatures"
