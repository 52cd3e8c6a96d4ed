"""Records keep what must be consistent at every moment, the same on SQLite and PostgreSQL."""

import subprocess
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import msgspec
import pytest
import sqlalchemy as sa

from servitwin.domain.calendar import Calendar, Shift
from servitwin.domain.command import Command
from servitwin.domain.error import ConflictError
from servitwin.domain.identity import new_uid
from servitwin.domain.machine_type import MachineType
from servitwin.domain.party import Account, Actor, Grant, Party
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time import Gap
from servitwin.domain.twin import Dated, Twin
from servitwin.domain.usage import UsageRecord
from servitwin.domain.work_order import WorkOrder
from servitwin.engines.records import SqlRecords
from servitwin.usecases.ports import Records

PERSON = Actor("ann", "person", "acme", ("engineer",))


def test_it_is_all_that_the_use_cases_need(records):
    kept: Records = records  # mypy proves it in bootstrap; here: nothing of the port is missing at run time
    wanted = [name for name in vars(Records) if not name.startswith("_")]
    assert [name for name in wanted if not callable(getattr(kept, name, None))] == []


def test_a_published_type_never_changes(records):
    one = MachineType("mill", 1, title="Mill", signals=(SignalDefinition("power", unit="kW"),))
    records.add_machine_type(one)
    revision = records.twins_revision()
    records.add_machine_type(one)
    assert records.twins_revision() == revision
    with pytest.raises(ConflictError) as caught:
        records.add_machine_type(MachineType("mill", 1, title="Other"))
    assert caught.value.fault.code == "machine-type:version-exists"
    two = MachineType("mill", 10)
    records.add_machine_type(two)
    records.add_machine_type(MachineType("mill", 9))
    assert records.machine_type("mill") == two
    assert records.machine_type("mill", 1) == one
    assert records.machine_type("mill", 3) is None
    assert [t.reference for t in records.machine_types()] == ["mill@1", "mill@9", "mill@10"]


def test_a_twin_comes_back_as_it_was_saved_and_its_id_is_its_own_for_good(records):
    twin = Twin(
        "u1", "mill-1", "machine", serial="S1", created=5, commissioned=7,
        type=(Dated("mill@1", 5, 9), Dated("mill@2", 9)), owner=(Dated("acme", 5),), parent=(Dated("line", 5),),
    )  # fmt: skip
    records.save_twin(twin)
    assert records.twin("mill-1") == records.twin("u1") == twin
    with pytest.raises(ConflictError) as caught:
        records.save_twin(Twin("u2", "mill-1", "machine"))
    assert caught.value.fault.code == "twin:id-taken"
    records.save_twin(Twin("u1", "mill-one", "machine"))
    with pytest.raises(ConflictError):
        records.save_twin(Twin("u2", "mill-1", "machine"))
    assert [t.id for t in records.twins()] == ["mill-one"]


def test_every_change_of_a_twin_raises_the_revision(records):
    seen = [records.twins_revision()]
    for change in (
        lambda: records.save_twin(Twin("u1", "a", "machine")),
        lambda: records.save_twin(Twin("u1", "a", "machine", title="A")),
        lambda: records.save_calendar(Calendar("c", "Europe/Helsinki")),
        lambda: records.add_machine_type(MachineType("m", 1)),
    ):
        change()
        seen.append(records.twins_revision())
    assert seen == sorted(set(seen))


def test_children_are_those_of_that_time(records):
    records.save_twin(Twin("u1", "mill-1", "machine", parent=(Dated("line-1", 0, 100), Dated("line-2", 100))))
    records.save_twin(Twin("u2", "mill-2", "machine", parent=(Dated("line-1", 50),)))
    at = {when: [t.id for t in records.children("line-1", when)] for when in (0, 50, 99, 100)}
    assert at == {0: ["mill-1"], 50: ["mill-1", "mill-2"], 99: ["mill-1", "mill-2"], 100: ["mill-2"]}
    assert [t.id for t in records.children("line-2", 100)] == ["mill-1"]


def test_pages_of_twins(records):
    for i in range(5):
        records.save_twin(Twin(f"u{i}", f"t{i}", "line" if i == 3 else "machine"))
    assert [t.id for t in records.twins(limit=2)] == ["t0", "t1"]
    assert [t.id for t in records.twins(after="t1", limit=2)] == ["t2", "t3"]
    assert [t.id for t in records.twins(kind="line")] == ["t3"]


def test_gaps_and_calendars(records):
    records.declare_gaps("u1", [Gap(10, 20, "maintenance of the network", "file"), Gap(1, 2, "x", "file")])
    records.declare_gaps("u1", [Gap(10, 20, "cable", "file")])
    records.declare_gaps("u2", [Gap(5, 6, "y", "file")])
    assert records.all_gaps() == {"u1": records.gaps("u1"), "u2": [Gap(5, 6, "y", "file")]}
    assert records.gaps("u1") == [Gap(1, 2, "x", "file"), Gap(10, 20, "cable", "file")]
    calendar = Calendar("two", "Europe/Helsinki", (Shift("early", (0, 1), 360, 840, ((600, 615),)),), ("2026-12-25",))
    records.save_calendar(calendar)
    assert records.calendar("two") == calendar
    assert records.calendar("three") is None


def test_accounts_keep_their_password_until_it_is_changed_and_lose_their_sessions_then(records):
    account = Account("ann", "Ann", "acme", ("viewer",))
    records.save_account(account, "hash-1")
    records.add_session("s1", "ann", "csrf", 0, 100)
    records.save_account(Account("ann", "Ann B.", "acme", ("viewer",)), None)
    assert records.password_hash("ann") == "hash-1"
    assert records.session("s1", 50) == (Account("ann", "Ann B.", "acme", ("viewer",)), "csrf")
    assert records.session("s1", 100) is None
    records.save_account(account, "hash-2")
    assert records.session("s1", 50) is None
    records.add_session("s2", "ann", "csrf", 0, 100)
    records.end_session("s2")
    assert records.session("s2", 50) is None
    assert records.accounts() == [account]


def test_a_disabled_account_has_no_session(records):
    records.save_account(Account("ann", "Ann", "acme", ()), "h")
    records.add_session("s1", "ann", "csrf", 0, 100)
    records.save_account(Account("ann", "Ann", "acme", (), disabled=True), None)
    assert records.session("s1", 1) is None


def test_tokens_expire_and_are_revoked(records):
    program = Actor("erp", "program", "acme", ("viewer",))
    records.add_token("t1", "h1", program, 0, 100, "ERP")
    records.add_token("t2", "h2", Actor("x", "program", "other"), 0, None, "")
    assert records.actor_of_token("h1", 99) == program
    assert records.actor_of_token("h1", 100) is None
    assert records.actor_of_token("h3", 1) is None
    records.revoke_token("t2", 50)
    records.revoke_token("t2", 90)
    assert records.actor_of_token("h2", 49) is not None
    assert records.actor_of_token("h2", 50) is None
    assert [t["id"] for t in records.tokens("acme")] == ["t1"]
    assert [t["revoked"] for t in records.tokens("")] == [None, 50]


def test_grants_parties_and_machine_credentials(records):
    grant = Grant("g1", "acme", "maker", "mill-1", "read", Dated("", 10, 20), ("spindle.*",))
    records.save_grant(grant)
    assert [len(records.grants(at)) for at in (9, 10, 19, 20)] == [0, 1, 1, 0]
    assert records.grants(10) == [grant]
    records.save_party(Party("acme", "Acme"))
    records.save_party(Party("acme", "Acme Oy", "manufacturer"))
    assert records.parties() == [Party("acme", "Acme Oy", "manufacturer")]
    records.save_machine_credential("m1", "h", ["mill-1", "mill-2"])
    assert records.machine_credential("m1") == ("h", ["mill-1", "mill-2"])
    assert records.machine_credentials() == [("m1", "h", ["mill-1", "mill-2"])]
    assert records.machine_credential("m2") is None


def _command(id: str, issued: int, status="sent", **more) -> Command:
    return Command(id, "u1", "set-feed", {"percent": 50.0}, "person", "ann", issued, status, **more)


def test_commands_newest_first_open_ones_and_one_per_key(records):
    records.save_command(_command("c1", 10, key="k"))
    records.save_command(_command("c2", 10, "acknowledged", effect_signal="feed"))
    records.save_command(_command("c3", 20, "acknowledged"))
    assert [c.id for c in records.commands("u1")] == ["c3", "c2", "c1"]
    assert [c.id for c in records.commands("u1", after="c3", limit=1)] == ["c2"]
    assert [c.id for c in records.commands("u1", after="c2")] == ["c1"]
    assert [c.id for c in records.commands("u1", since=11)] == ["c3"]
    assert [c.id for c in records.open_commands()] == ["c1", "c2"]
    records.save_command(_command("c1", 10, "effective", key="k", answered=11))
    assert [c.id for c in records.open_commands()] == ["c2"]
    assert records.command_by_key("u1", "k") == records.command("c1")
    assert records.command_by_key("u2", "k") is None
    with pytest.raises(ConflictError) as caught:
        records.save_command(_command("c4", 30, key="k"))
    assert caught.value.fault.code == "command:key-used"
    assert records.command("c4") is None


def test_levels(records):
    records.save_level("u1", "", "model", 1, {})
    records.save_level("u1", "", "shadow", 5, {"rows": 3})
    records.save_level("u1", "signal:power", "shadow", 5, {})
    assert [(r["level"], r["since"]) for r in records.level_history("u1")] == [("model", 1), ("shadow", 5)]
    assert [records.levels_at(at) for at in (0, 4, 5)] == [{}, {"u1": "model"}, {"u1": "shadow"}]
    assert records.level_history("u1")[1]["evidence"] == {"rows": 3}
    assert len(records.level_history("u1", "*")) == 3


def test_the_audit_can_only_grow(records):
    records.audit(PERSON, "command.send", "mill-1", 5, {"name": "set-feed"})
    records.audit(PERSON, "type.register", "mill@1", 6, {})
    entries = records.audit_entries()
    assert [e["action"] for e in entries] == ["type.register", "command.send"]
    assert entries[1]["actor"] == PERSON
    assert records.audit_entries(after=entries[0]["id"])[0]["detail"] == {"name": "set-feed"}
    assert len(records.audit_entries(subject="mill@1")) == 1
    for statement in ("UPDATE audit SET action = 'nothing'", "DELETE FROM audit"):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), records._database.write() as connection:
            connection.execute(sa.text(statement))
    assert records.audit_entries() == entries


def test_work_orders_keep_every_step_once(records):
    first = WorkOrder("w1", 1, "crane", "open", "open", "unplanned", 100, None, "mechanical", "provider", "acme",
                      "ann", "acme", 110)  # fmt: skip
    assert records.add_work_order(first)
    closed = msgspec.structs.replace(first, number=2, action="close", status="closed", end=200, at=210)
    assert records.add_work_order(closed)
    assert not records.add_work_order(msgspec.structs.replace(closed, by="bob")), "the step is taken"
    other = msgspec.structs.replace(first, id="w2", twin="mill", start=500)
    assert records.add_work_order(other)
    assert records.work_orders(["crane"], 150, 160) == [first, closed]
    assert records.work_orders(["crane"], 0, 100) == []
    assert records.work_orders(["crane", "mill"], 600, 700) == [first, closed, other], "it was open once"


def test_each_identity_of_a_usage_record_counts_once(records):
    def record(id, quantity, source="plc"):
        return UsageRecord(source, id, "c", "crane", "parts", Decimal(quantity), 5)

    one, two, other = record("a", 1), record("b", 2), record("a", 9)
    assert records.add_usage([one, two, one, other]) == [None, None, one, one], "also within one batch"
    assert records.add_usage([record("a", 1, "hmi"), other, two]) == [None, one, two]
    many = [record(f"m{n}", 1) for n in range(1200)]
    assert records.add_usage(many) == [None] * 1200
    assert records.add_usage(many) == many
    assert records.add_usage([]) == []
    assert sum(r.quantity for r in records.usage("c", 0, 10)) == 1 + 2 + 1 + 1200


def test_events_have_growing_ids_and_can_be_resumed(records):
    ids = [records.add_event("state.changed", f"t{i}", i, {"i": i}) for i in range(3)]
    assert ids == sorted(set(ids))
    assert [e["data"] for e in records.events(ids[0])] == [{"i": 1}, {"i": 2}]
    assert [e["id"] for e in records.events(0, limit=1)] == ids[:1]


def test_outcomes_by_revision_and_the_snapshot_to_go_on_from(records):
    def save(start, end, revision, outcome, snapshot=b"s"):
        records.save_outcome("oee", "1", "u1", "{}", start, end, revision, f"cut{revision}", outcome, snapshot)

    save(0, 10, 0, b"a")
    save(10, 20, 0, b"b", b"second")
    save(0, 10, 0, b"a")
    with pytest.raises(ConflictError) as caught:
        save(0, 10, 0, b"other")
    assert caught.value.fault.code == "outcome:revision-exists"
    save(0, 10, 1, b"late", b"first-again")
    assert [(o["from"], o["revision"], o["outcome"]) for o in records.outcomes("oee", "u1", 0, 20)] == [
        (0, 1, b"late"),
        (10, 0, b"b"),
    ]
    assert [o["from"] for o in records.outcomes("oee", "u1", 10, 11)] == [10]
    assert records.latest_snapshot("oee", "1", "u1", "{}", 19) == (10, "cut1", b"first-again")
    assert records.latest_snapshot("oee", "1", "u1", "{}", 20) == (20, "cut0", b"second")
    assert records.latest_snapshot("oee", "1", "u1", "{}", 9) is None


def test_of_outcomes_those_that_tell_something_and_old_snapshots_that_are_let_go(records):
    silent, telling = b'{"cut":{"1":7}}', b'{"results":[{"rise":"\xc3\xa4"}]}'
    rows = [(0, 10, 0, telling), (0, 10, 1, silent), (10, 20, 0, silent), (10, 20, 1, telling), (20, 30, 0, telling)]
    for start, end, revision, outcome in rows:
        records.save_outcome("rises", "1", "u1", "{}", start, end, revision, "{}", outcome, b"s%d" % end)
    found = records.outcomes("rises", "u1", 0, 99, telling=True)
    assert [(o["from"], o["revision"]) for o in found] == [(10, 1), (20, 0)]  # what late data took back tells nothing
    assert records.outcomes_until("rises", "u1", "{}") == 30
    assert records.outcomes_until("rises", "u1", '{"a":1}') is None
    records.thin_snapshots("rises", "1", "u1", "{}", 0, 30)
    ends = [records.latest_snapshot("rises", "1", "u1", "{}", before) for before in (19, 29, 99)]
    assert [None if e is None else e[0] for e in ends] == [None, 20, 30]
    assert len(records.outcomes("rises", "u1", 0, 99)) == 3


def test_writes_together_are_kept_together_or_not_at_all(records):
    with records.together(), records.together():
        records.save_twin(Twin("u1", "a", "machine"))
        assert records.twin("a") is not None

    def fail_half_way():
        with records.together():
            records.save_twin(Twin("u2", "b", "machine"))
            records.audit(PERSON, "twin.save", "b", 1, {})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert [t.id for t in records.twins()] == ["a"]
    assert records.audit_entries() == []
    records.save_twin(Twin("u3", "c", "machine"))
    assert records.twin("c") is not None


def test_blocks_of_one_name_run_one_after_the_other(url, records):
    """Each of four reads a sum and writes one more: none of them may miss what another has written."""
    gate = threading.Barrier(4)

    def add_one():
        own = SqlRecords(url)
        gate.wait()
        for _ in range(10):
            with own.together(alone="sum"):
                own.set_setting("sum", str(int(own.setting("sum") or 0) + 1))
        own.close()

    with ThreadPoolExecutor(4) as pool:
        for one in [pool.submit(add_one) for _ in range(4)]:
            one.result()
    assert records.setting("sum") == "40"


_WRITER = """
import sys
from servitwin.engines.records import SqlRecords
from servitwin.domain.twin import Twin
url, me, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
records = SqlRecords(url)
for i in range(count):
    records.save_twin(Twin(f"{me}-{i}", f"{me}-{i}", "machine"))
    records.add_event("added", f"{me}-{i}", i, {})
"""


def test_several_processes_write_at_once_and_nothing_is_lost(url, records):
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, url, me, "20"], stderr=subprocess.PIPE) for me in "abc"]
    failures = [w.communicate(timeout=60)[1].decode() for w in writers]
    assert failures == ["", "", ""]
    assert len(records.twins()) == 60
    assert records.twins_revision() == 60
    assert len({e["id"] for e in records.events(0)}) == 60


def test_uids_are_uuid_version_7_in_order_of_time():
    first = uuid.UUID(new_uid(1_790_000_000_123_456_789, bytes(range(8))))
    assert first.version == 7
    assert first.variant == uuid.RFC_4122
    assert first.int >> 80 == 1_790_000_000_123
    later = [new_uid(1_790_000_000_123_456_789 + i * 300, bytes(8)) for i in range(5)]
    assert later == sorted(set(later))
    with pytest.raises(ValueError, match="eight"):
        new_uid(1, b"short")
