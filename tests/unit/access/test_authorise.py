"""Decisions by Cedar, and the index that lists use: both must always say the same."""

import itertools
from dataclasses import dataclass, field
from importlib import resources

import cedarpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.error import NotFoundError, RefusedError
from servitwin.domain.party import Actor, Grant
from servitwin.domain.twin import Dated, Twin
from servitwin.usecases.authorise import Authoriser, policies

ACTIONS = ("read", "command", "configure", "report", "treat")
ROLES = (
    "viewer", "operator", "production_manager", "maintenance", "procurement", "technician", "service_manager",
    "sales", "engineer", "trainer", "analyst", "administrator", "machine", "plugin",
)  # fmt: skip
PARTIES = ("maker", "acme", "other", "third")
SIGNALS = ("spindle.load", "spindle.temperature", "power")
NOW = 1_000


@dataclass
class Plant:
    all: list
    held: list = field(default_factory=list)
    revision: int = 1

    def twins(self, *, retired=False, simulated=False):
        return self.all

    def grants(self, at):
        return [g for g in self.held if g.period.holds(at)]


def authoriser(plant, now=lambda: NOW, operator="maker"):
    return Authoriser(plant, plant, lambda: operator, now)


def twin(n, owner=(), parent=()):
    return Twin(f"u{n}", f"t{n}", "machine", owner=tuple(owner), parent=tuple(parent))


periods = st.tuples(st.integers(0, 1500), st.one_of(st.none(), st.integers(1, 1600))).map(
    lambda p: (p[0], None if p[1] is None else p[0] + p[1])
)


@st.composite
def plants(draw):
    count = draw(st.integers(1, 4))
    twins = []
    for n in range(count):
        owners = [Dated(draw(st.sampled_from(PARTIES)), *draw(periods)) for _ in range(draw(st.integers(0, 2)))]
        parents = []
        if n:
            parents = [Dated(f"t{draw(st.integers(0, n - 1))}", *draw(periods)) for _ in range(draw(st.integers(0, 2)))]
        twins.append(twin(n, owners, parents))
    grants = []
    for i in range(draw(st.integers(0, 4))):
        action = draw(st.sampled_from(("read", "command", "configure")))
        signals = draw(st.sampled_from(((), ("spindle.*",), ("power",)))) if action == "read" else ()
        start, end = draw(periods)
        grants.append(
            Grant(
                f"g{i}", draw(st.sampled_from(PARTIES)), draw(st.sampled_from(PARTIES)),
                f"t{draw(st.integers(0, count - 1))}", action, Dated(action, start, end), signals,
            )
        )  # fmt: skip
    return Plant(twins, grants)


actors = st.builds(
    Actor,
    id=st.just("x"),
    kind=st.sampled_from(("person", "program")),
    party=st.sampled_from((*PARTIES, "", "nobody")),
    roles=st.lists(st.sampled_from(ROLES), max_size=2, unique=True).map(tuple),
)


@settings(max_examples=60, deadline=None)
@given(plants(), actors, st.integers(-10, 2500), st.sampled_from(SIGNALS))
def test_index_says_what_cedar_says(plant, actor, at, signal):
    rights = authoriser(plant)
    index = rights.index()
    for t in plant.all:
        tenure = index.tenure_at(t.uid, at)
        for action in ACTIONS:
            assert index.permits(actor, action, tenure) == rights.may(actor, action, t, at), (action, tenure)
        assert index.permits(actor, "read", tenure, signal) == rights.may(actor, "read", t, at, signal)
    listed = {
        t.uid
        for t in plant.all
        if any(rights.may(actor, a, t, x.start) for a in ACTIONS for x in index.tenures(t.uid))
        or any(rights.may(actor, "read", t, x.start, s) for x in index.tenures(t.uid) for s in SIGNALS)
    }
    assert rights.known(actor) == listed
    assert rights.readable(actor) == {t.uid for t in plant.all if rights.may(actor, "read", t)}


@settings(max_examples=60, deadline=None)
@given(plants(), actors, st.integers(0, 2000), st.integers(1, 800), st.sampled_from(("", *SIGNALS)))
def test_spans_cover_exactly_the_instants_that_may_be_read(plant, actor, start, length, signal):
    rights = authoriser(plant)
    for t in plant.all:
        spans = rights.spans(actor, t, signal, start, start + length)
        assert all(a < b for a, b in spans)
        assert all(x[1] < y[0] for x, y in itertools.pairwise(spans)), "neighbours are joined"
        for at in range(start, start + length, 37):
            assert any(a <= at < b for a, b in spans) == rights.may(actor, "read", t, at, signal)


def test_policies_fit_their_schema():
    text = {n: resources.files("servitwin.usecases").joinpath(n).read_text("utf-8") for n in
            ("access.cedar", "access_schema.cedar")}  # fmt: skip
    result = cedarpy.validate_policies(text["access.cedar"], text["access_schema.cedar"])
    assert result.validation_passed, [str(e) for e in result.errors]
    assert policies() is not None


def test_rights_follow_ownership_at_the_observations_time():
    sold = twin(1, [Dated("acme", 0, 500), Dated("other", 500)])
    rights = authoriser(Plant([sold]))
    before, after = Actor("a", "person", "acme", ("viewer",)), Actor("b", "person", "other", ("viewer",))
    assert rights.spans(before, sold, "", 0, 900) == [(0, 500)]
    assert rights.spans(after, sold, "", 0, 900) == [(500, 900)]
    assert rights.knows(before, sold)
    assert sold.uid not in rights.readable(before)


def test_grant_reaches_what_its_grantor_owns_below_the_twin_and_nothing_else():
    line = twin(0, [Dated("acme", 0)])
    own, hired = (
        twin(1, [Dated("acme", 0)], [Dated("t0", 0)]),
        twin(2, [Dated("third", 0)], [Dated("t0", 0)]),
    )
    grant = Grant("g", "acme", "other", "t0", "read", Dated("read", 0))
    rights = authoriser(Plant([line, own, hired], [grant]))
    guest = Actor("g", "person", "other", ("analyst",))
    assert rights.known(guest) == {"u0", "u1"}
    assert not rights.may(guest, "command", own)
    assert not rights.may(Actor("m", "machine", "other", ("machine",)), "read", own)


def test_grant_begins_and_ends_by_the_clock():
    clock = [0]
    plant = Plant([twin(1, [Dated("acme", 0)])], [Grant("g", "acme", "other", "t1", "read", Dated("read", 100, 200))])
    rights = authoriser(plant, now=lambda: clock[0] * 10**9)
    plant.held[0] = Grant("g", "acme", "other", "t1", "read", Dated("read", 100 * 10**9, 200 * 10**9))
    guest = Actor("g", "person", "other", ("viewer",))
    seen = []
    for second in (50, 99, 131, 199, 200, 300):
        clock[0] = second
        seen.append("u1" in rights.readable(guest))
    assert seen == [False, False, True, True, False, False]


def test_refusals_tell_no_more_than_the_caller_may_know():
    t = twin(1, [Dated("acme", 0)])
    rights = authoriser(Plant([t]))
    with pytest.raises(NotFoundError) as hidden:
        rights.require(Actor("o", "person", "other", ("administrator",)), "read", t)
    assert hidden.value.fault.code == "twin:unknown"
    with pytest.raises(RefusedError) as refused:
        rights.require(Actor("v", "person", "acme", ("viewer",)), "command", t)
    assert refused.value.fault.code == "access:not-permitted"


@pytest.mark.parametrize(
    ("party", "roles", "administers"),
    [
        ("", ("administrator",), {"", "acme", "other", "maker"}),
        ("maker", ("administrator",), {"", "acme", "other", "maker"}),
        ("acme", ("administrator",), {"acme"}),
        ("acme", ("engineer",), set()),
        ("newcomer", ("administrator",), {"newcomer"}),
    ],
)
def test_who_administers_which_party(party, roles, administers):
    rights = authoriser(Plant([twin(1, [Dated("acme", 0)])]))
    actor = Actor("x", "person", party, roles)
    parties = ("", "acme", "other", "maker", "newcomer")
    assert {p for p in parties if rights.may_administer(actor, p)} == administers | (
        {"newcomer"} if party in ("", "maker") else set()
    )


@pytest.mark.parametrize(
    ("party", "role", "permitted"),
    [
        ("maker", "viewer", {"watch"}),
        ("maker", "engineer", {"watch", "run", "simulate"}),
        ("maker", "operator", {"watch", "simulate"}),
        ("acme", "production_manager", {"watch", "simulate"}),
        ("acme", "administrator", {"watch", "simulate"}),
        ("other", "administrator", set()),
        ("", "viewer", {"watch"}),
        ("", "administrator", {"watch", "run", "simulate"}),
    ],
)
def test_who_may_do_what_on_the_node(party, role, permitted):
    rights = authoriser(Plant([twin(1, [Dated("acme", 0)])]))
    actor = Actor("x", "person", party, (role,))
    assert {a for a in ("watch", "run", "simulate") if rights.may_on_node(actor, a)} == permitted
