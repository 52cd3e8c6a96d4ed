"""Plant files into records: again and again, changing only what differs, keeping all history."""

import itertools

import pytest

from servitwin.domain.error import ConflictError, InvalidInputError
from servitwin.domain.instant import parse_instant
from servitwin.domain.party import Actor
from servitwin.domain.requirement import Requirement
from servitwin.domain.twin import Dated, Twin
from servitwin.engines.records import SqlRecords, migrate
from servitwin.usecases.audit import Audit
from servitwin.usecases.check_files import FileText, check
from servitwin.usecases.import_files import ImportFiles
from servitwin.usecases.import_plant import ImportPlant
from servitwin.usecases.kept_plants import connections
from servitwin.usecases.register_types import RegisterTypes

ANN = Actor("ann", "person", "acme", ("administrator",))
TYPE = 'machine_type: mill\nversion: {version}\ntitle: "{title}"\nsignals: {{power: {{unit: kW, limits: [0, 50]}}}}\n'
PLANT = """
plant: demo
parties: {acme: {name: Acme}, beta: {name: Beta}}
calendars: {two: {time_zone: Europe/Helsinki, shifts: {early: {days: mon-fri, from: "06:00", to: "14:00"}}}}
twins:
  mill-1: {type: mill@1, serial: S1, owner: acme, part_of: line-1, calendar: two, commissioned: 2024-02-01}
  mill-2: {type: mill@1, serial: S2, part_of: line-1}
  line-1: {kind: line, aggregates: {power: {sum: children.power, max_age: 10s}}}
connections: {demo: {connector: simulator, config: {seed: 1}}}
"""
FEBRUARY = parse_instant("2024-02-01T00:00:00Z")


class Node:
    """The use cases over real records, with a clock of its own."""

    def __init__(self, folder):
        url = f"sqlite:///{folder}/records.db"
        migrate(url)
        self.records = SqlRecords(url)
        self.time = parse_instant("2026-01-01T00:00:00Z")
        self.said = []
        numbers = itertools.count(1)
        audit = Audit(self.records, lambda: self.time)
        self.types = RegisterTypes(self.records, audit, self.said.append)
        self.plants = ImportPlant(
            self.records, audit, self.said.append, lambda: self.time, lambda: f"uid-{next(numbers)}"
        )
        self.files = ImportFiles(self.records, self.types, self.plants, None, lambda: 1)

    def load(self, *texts):
        return self.files.import_files([FileText(f"{i}.yaml", t) for i, t in enumerate(texts)], ANN)


@pytest.fixture
def node(tmp_path):
    made = Node(tmp_path)
    yield made
    made.records.close()


def _type(version=1, title="Mill"):
    return TYPE.format(version=version, title=title)


def test_a_plant_becomes_twins_with_their_types_and_history(node):
    result = node.load(PLANT, _type())
    assert sorted(result.registered) == [
        "calendar:two", "connections:demo", "line-1", "mill-1", "mill-2", "mill@1", "party:acme", "party:beta",
    ]  # fmt: skip
    mill = node.records.twin("mill-1")
    assert mill.type == (Dated("mill@1", FEBRUARY),)
    assert mill.owner == (Dated("acme", FEBRUARY),)
    assert mill.commissioned == FEBRUARY
    assert mill.created == node.time
    assert [t.id for t in node.records.children("line-1", node.time)] == ["mill-1", "mill-2"]
    assert node.records.twin("line-1").aggregates[0].unit == "kW"
    assert [c.config for c in connections(node.records)] == [{"seed": 1}]
    assert node.said == ["changed.types", "changed.connections", "changed.twins"]


def test_the_second_import_changes_nothing_and_writes_no_audit(node):
    node.load(PLANT, _type())
    revision, entries = node.records.twins_revision(), node.records.audit_entries()
    node.said.clear()
    node.time += 10**9
    result = node.load(PLANT, _type())
    assert (result.registered, result.changed, result.retired) == ([], [], [])
    assert node.records.twins_revision() == revision
    assert node.records.audit_entries() == entries
    assert node.said == []


def test_the_same_files_are_not_read_again_unless_the_node_has_changed(node, monkeypatch):
    node.load(PLANT, _type())
    with monkeypatch.context() as patch:
        patch.setattr("servitwin.usecases.import_files.read_files", lambda *a, **k: pytest.fail("read again"))
        assert node.load(PLANT, _type()).unchanged == ["0.yaml", "1.yaml"]
    node.plants.save_twin("mill-1", {"type": "mill@1", "serial": "S1", "title": "Changed on the page"}, ANN)
    assert "mill-1" in node.load(PLANT, _type()).changed


def test_an_import_that_is_cut_short_leaves_nothing_behind(node, monkeypatch):
    node.load(_type())
    revision, entries = node.records.twins_revision(), len(node.records.audit_entries())
    save, calls = node.records.save_twin, []

    def fail_at_the_second(twin):
        calls.append(twin)
        if len(calls) == 2:
            raise KeyboardInterrupt
        save(twin)

    monkeypatch.setattr(node.records, "save_twin", fail_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        node.load(PLANT)
    assert (node.records.twins(), node.records.parties(), node.records.calendar("two")) == ([], [], None)
    assert (node.records.twins_revision(), len(node.records.audit_entries())) == (revision, entries)
    monkeypatch.undo()
    assert len(node.load(PLANT).registered) == 7


def test_what_changes_is_audited_with_the_fields_that_did(node):
    node.load(PLANT, _type())
    result = node.load(PLANT.replace("owner: acme", "owner: beta, title: First"), _type())
    assert result.changed == ["mill-1"]
    entry = node.records.audit_entries(subject="mill-1", limit=1)[0]
    assert entry["actor"] == ANN
    assert sorted(entry["detail"]["fields"]) == ["owner", "title"]


def test_a_new_owner_keeps_the_old_one_in_history(node):
    node.load(PLANT, _type())
    node.time = sold = parse_instant("2026-06-01T00:00:00Z")
    node.load(PLANT.replace("owner: acme", "owner: beta"), _type())
    assert node.records.twin("mill-1").owner == (Dated("acme", FEBRUARY, sold), Dated("beta", sold))


def test_dates_in_the_file_decide_from_their_first_day_on(node):
    node.load(PLANT, _type())
    dated = "owner: [{party: beta, from: 2025-01-01}]"
    sold = parse_instant("2025-01-01T00:00:00Z")
    for _ in range(2):
        node.load(PLANT.replace("owner: acme", dated), _type())
        assert node.records.twin("mill-1").owner == (Dated("acme", FEBRUARY, sold), Dated("beta", sold))


def test_a_twin_that_leaves_the_file_is_retired_and_comes_back_as_itself(node):
    node.load(PLANT, _type())
    uid = node.records.twin("mill-2").uid
    without = "\n".join(line for line in PLANT.splitlines() if "mill-2" not in line)
    assert node.load(without, _type()).retired == ["mill-2"]
    assert node.records.twin("mill-2").retired == node.time
    assert node.load(without, _type()).retired == []
    assert node.load(PLANT, _type()).changed == ["mill-2"]
    back = node.records.twin("mill-2")
    assert (back.uid, back.retired) == (uid, None)


def test_a_published_version_cannot_be_changed_and_nothing_else_is_registered_then(node):
    node.load(_type())
    with pytest.raises(ConflictError) as caught:
        node.load(_type(2), _type(1, "Changed"))
    assert caught.value.fault.code == "machine-type:version-exists"
    assert "version 2" in caught.value.fault.hint
    assert node.records.machine_type("mill", 2) is None


def test_zero_and_zero_point_zero_are_the_same_content(node):
    node.load(_type())
    assert node.load(_type().replace("[0, 50]", "[0.0, 50.0]")).unchanged == ["mill@1"]


def test_a_new_machine_needs_a_new_id(node):
    node.load(PLANT, _type())
    with pytest.raises(ConflictError) as caught:
        node.load(PLANT.replace("serial: S1", "serial: S9"), _type())
    assert [f.code for f in caught.value.faults] == ["twin:serial-changed"]
    assert node.records.twin("mill-1").serial == "S1"


def test_contradictions_to_the_node_are_told_all_at_once_and_change_nothing(node):
    node.load(PLANT, _type())
    revision = node.records.twins_revision()
    other = """
plant: other
twins:
  mill-9: {type: mill@1, serial: S1}
  hall: {kind: factory, part_of: line-1}
  line-1: {kind: line, part_of: hall}
"""
    with pytest.raises(InvalidInputError) as invalid:
        node.load(other)
    assert [f.code for f in invalid.value.faults] == ["plant:cycle"]
    with pytest.raises(ConflictError) as caught:
        node.load(other.replace("  line-1: {kind: line, part_of: hall}\n", "  line-1: {kind: line, part_of: mill-1}\n"))
    assert sorted(f.code for f in caught.value.faults) == ["plant:cycle", "twin:serial-duplicate"]
    assert node.records.twins_revision() == revision


def test_one_faulty_file_and_nothing_comes_in(node):
    with pytest.raises(InvalidInputError) as caught:
        node.load(_type(), PLANT.replace("mill@1", "mill@7"))
    assert {f.code for f in caught.value.faults} == {"twin:type-unknown"}
    assert node.records.machine_types() == []
    assert node.records.parties() == []


def test_one_twin_alone_is_saved_and_its_faults_point_into_its_body(node):
    node.load(PLANT, _type())
    saved = node.plants.save_twin("mill-3", {"type": "mill@1", "part_of": "line-1", "calendar": "two"}, ANN)
    assert node.records.twin("mill-3") == saved
    assert node.records.twin("mill-2").retired is None
    with pytest.raises(InvalidInputError) as caught:
        node.plants.save_twin("mill-4", {"type": "mill@8", "owner": [{"party": "nobody"}], "colour": "red"}, ANN)
    assert sorted((f.code, f.where) for f in caught.value.faults) == [
        ("file:unknown-key", "colour"),
        ("twin:party-unknown", "owner[0].party"),
        ("twin:type-unknown", "type"),
    ]


def test_files_are_checked_as_a_set(tmp_path):
    folder = tmp_path / "plant"
    (folder / "machine-types").mkdir(parents=True)
    (folder / "machine-types" / "mill.yaml").write_text(
        _type() + "documents: [{title: Manual, file: manual.pdf}, {title: Out, file: ../x.pdf}]\n"
    )
    (folder / "plant.yaml").write_text(PLANT)
    (folder / "other.yaml").write_text("something: else\n")
    found = check([folder])
    assert [(f.code, f.file, f.line) for f in found] == [
        ("file:outside-folder", str(folder / "machine-types" / "mill.yaml"), 5),
        ("twin:type-unknown", str(folder / "plant.yaml"), 6),
        ("twin:type-unknown", str(folder / "plant.yaml"), 7),
    ]
    (folder / "machine-types" / "mill.yaml").write_text(_type() + "documents: [{title: Manual, file: manual.pdf}]\n")
    assert [f.code for f in check([folder])] == ["file:not-found"]
    (folder / "machine-types" / "manual.pdf").write_bytes(b"x")
    assert check([folder]) == []
    (folder / "machine-types" / "manual.pdf").unlink()
    (folder / "machine-types" / "manual.pdf").symlink_to("/etc/hostname")
    assert [f.code for f in check([folder])] == ["file:outside-folder"]


def test_files_that_cannot_be_read_and_files_of_neither_kind(tmp_path):
    (tmp_path / "latin.yaml").write_bytes("machine_type: müll".encode("latin-1"))
    (tmp_path / "other.yaml").write_text("a: 1\n")
    paths = [tmp_path / n for n in ("latin.yaml", "missing.yaml", "other.yaml")]
    assert [f.code for f in check(paths)] == ["file:not-utf-8", "file:unreadable", "file:kind-unknown"]
    (tmp_path / "empty").mkdir()
    assert [f.code for f in check([tmp_path / "empty"])] == ["file:none-found"]


def test_two_plants_cannot_declare_the_same_twin(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(f"plant: {name}\ntwins: {{x: {{kind: line}}}}\n")
    assert [f.code for f in check([tmp_path])] == ["twin:duplicate"]


def _demands(*requirements):
    """The plant with requirements of one of its mills."""
    block = "".join(f"\n      {r}" for r in requirements)
    own = f"\n    requirements:{block}" if block else ""
    return PLANT.replace(
        "  mill-2: {type: mill@1, serial: S2, part_of: line-1}",
        f"""  mill-2:
    type: mill@1
    serial: S2
    part_of: line-1{own}""",
    )


def _kept(node):
    uid = node.records.twin("mill-2").uid
    return {r.name: r.formula for r in node.records.requirements(uid).get(uid, [])}


FRUGAL = "frugal: {text: Little power., formula: power < 30 kW}"
CALM = "calm: {text: Calm., formula: power < 40 kW}"


def test_requirements_of_a_twin_come_change_and_leave_with_the_file(node):
    result = node.load(_demands(FRUGAL, CALM), _type())
    assert {"requirement:mill-2/frugal", "requirement:mill-2/calm"} <= set(result.registered)
    assert _kept(node) == {"frugal": "power < 30 kW", "calm": "power < 40 kW"}
    uid = node.records.twin("mill-2").uid
    node.records.add_requirement(uid, Requirement("by-hand", "", "power < 50 kW"), 1, "ann")
    again = node.load(_demands(FRUGAL, CALM) + "\n", _type())
    assert not [n for n in (*again.registered, *again.changed) if n.startswith("requirement:")]
    changed = node.load(_demands(FRUGAL.replace("30", "20")), _type())
    assert [n for n in changed.changed if n.startswith("requirement:")] == [
        "requirement:mill-2/frugal", "requirement:mill-2/calm",
    ]  # fmt: skip
    assert _kept(node) == {"frugal": "power < 20 kW", "by-hand": "power < 50 kW"}
    node.load(_demands(), _type())
    assert _kept(node) == {"by-hand": "power < 50 kW"}


def test_a_twin_that_leaves_the_file_takes_its_requirements_along(node):
    node.load(_demands(FRUGAL), _type())
    without = PLANT.replace("  mill-2: {type: mill@1, serial: S2, part_of: line-1}\n", "")
    node.load(without, _type())
    assert _kept(node) == {}


def test_a_file_with_a_faulty_requirement_changes_nothing(node):
    node.load(_demands(FRUGAL), _type())
    with pytest.raises(InvalidInputError) as caught:
        node.load(_demands(FRUGAL.replace("30", "20"), CALM.replace("kW", "bar")), _type())
    [fault] = caught.value.faults
    assert fault.code.startswith("formula:")
    assert fault.line and fault.column
    assert _kept(node) == {"frugal": "power < 30 kW"}


def test_one_twin_by_itself_has_its_requirements_saved_apart(node):
    node.load(PLANT, _type())
    body = {"type": "mill@1", "requirements": {"frugal": {"text": "x", "formula": "power < 30 kW"}}}
    with pytest.raises(InvalidInputError) as caught:
        node.plants.save_twin("mill-2", body, ANN)
    assert caught.value.fault.code == "twin:requirements-apart"


def test_a_machine_never_takes_the_id_of_a_simulated_one(node):
    node.load(PLANT, _type())
    node.records.save_twin(Twin("u-sim", "sim-1", "machine", simulates="lamp@1"))
    with pytest.raises(ConflictError) as caught:
        node.load(PLANT.replace("mill-2", "sim-1"), _type())
    assert caught.value.fault.code == "twin:simulated"
    with pytest.raises(ConflictError):
        node.plants.save_twin("sim-1", {"kind": "machine", "title": "Real"}, ANN)
    assert node.records.twin("sim-1").simulates == "lamp@1"
