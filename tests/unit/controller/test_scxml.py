"""SCXML: what is taken means the same, and the rest is refused at its line."""

import pytest

from servitwin.formats.scxml import read_scxml
from servitwin.proof.controller.run import Interpreter

HEAD = '<scxml xmlns="http://www.w3.org/2005/07/scxml" xmlns:servitwin="urn:servitwin:scxml" datamodel="ecmascript">'


def steps(controller, events):
    """States after each event, by the interpreter, with the first choice."""
    interpreter = Interpreter(controller)
    state = next(interpreter.starts())
    found = []
    for event in events:
        inputs = {n: 0 for n in interpreter.inputs}
        if event:
            inputs["event"] = interpreter.inputs["event"].words.index(event)
        taken = [ways[0] if ways else None for ways in interpreter.choices(state, inputs)]
        state = interpreter.step(state, inputs, taken).values
        found.append(dict(state))
    return found


def test_hierarchy_document_order_prefixes_and_exit_before_entry():
    text = (
        HEAD
        + """
 <datamodel><data id="x" expr="0" servitwin:range="0 20"/></datamodel>
 <state id="a" initial="b">
  <onexit><assign location="x" expr="x + 1"/></onexit>
  <transition event="door" target="c"/>
  <state id="b">
   <onexit><assign location="x" expr="x * 2"/></onexit>
   <transition event="door.open" cond="x == 5" target="c"/>
   <transition event="door.open" target="b"/>
   <transition event="door.open" target="c"/>
  </state>
 </state>
 <state id="c"><onentry><assign location="x" expr="x + 10"/></onentry><transition event="*" target="a"/></state>
</scxml>"""
    )
    controller, faults = read_scxml(text)
    assert faults == []
    words = ("b", "c")
    seen = steps(controller, ["door.open", "door", "other_event", ""])
    assert [(words[s["state"]], s["x"]) for s in seen] == [("b", 0), ("c", 11), ("b", 11), ("b", 11)]


def test_parallel_and_transitions_without_event():
    text = (
        HEAD
        + """
 <datamodel><data id="n" expr="0" servitwin:range="0 3"/></datamodel>
 <parallel id="p">
  <state id="left"><state id="l1"><transition event="go" target="l2"/></state>
   <state id="l2"><transition cond="In('r2')" target="l1"/></state></state>
  <state id="right"><state id="r1">
  <transition event="go" target="r2"><assign location="n" expr="n + 1"/></transition></state>
   <state id="r2"/></state>
 </parallel></scxml>"""
    )
    controller, faults = read_scxml(text)
    assert faults == []
    assert [(s["left"], s["right"], s["n"]) for s in steps(controller, ["go", ""])] == [(1, 1, 1), (0, 1, 1)]
    interpreter = Interpreter(controller)
    assert not interpreter.allowed({"left": 1, "right": 1, "n": 1}, {"event": 1})  # an event waits for a stable state


@pytest.mark.parametrize(
    ("body", "code", "line"),
    [
        ('<state id="a"><history id="h"/></state>', "scxml:not-supported", 2),
        ('<state id="a"><onentry>\n<raise event="x"/></onentry></state>', "scxml:not-supported", 3),
        ('<state id="a"><onentry><send event="x" delay="1s"/></onentry></state>', "scxml:not-supported", 2),
        ('<state id="a"><onentry><script>x = 1</script></onentry></state>', "scxml:not-supported", 2),
        ('<state id="a"><invoke src="x"/></state>', "scxml:not-supported", 2),
        ('<state id="a"><onentry><if cond="true"/></onentry></state>', "scxml:not-supported", 2),
        ('<state id="a"><parallel id="p"/></state>', "scxml:not-supported", 2),
        ('<state id="a"><transition event="done.state.a" target="a"/></state>', "scxml:not-supported", 2),
        ('<state id="a"><transition event="x" target="nowhere"/></state>', "scxml:target", 2),
        ('<state id="a"><transition event="x" target="a b"/></state>', "scxml:not-supported", 2),
        ('<state><transition event="x"/></state>', "scxml:id", 2),
        ('<state id="a">\n<transition cond="y &gt; 1" target="a"/></state>', "expression:unknown-name", 3),
        ('<datamodel>\n<data id="x" servitwin:range="0 z"/></datamodel><state id="a"/>', "scxml:range", 3),
        ('<datamodel><data id="x" src="file:///etc/passwd"/></datamodel><state id="a"/>', "scxml:not-supported", 2),
        ('<state id="a"><transition type="internal" event="x" target="a"/></state>', "scxml:not-supported", 2),
        ('<parallel id="p"><state id="l"><state id="l1"><transition event="x" target="r1"/></state></state>'
         '<state id="r"><state id="r1"/></state></parallel>', "scxml:target", 2),
    ],
)  # fmt: skip
def test_what_is_not_kept_is_refused_at_its_line(body, code, line):
    found, faults = read_scxml(f"{HEAD}\n{body}</scxml>", "x.scxml")
    assert found is None
    assert (code, line) in [(f.code, f.line) for f in faults]


def test_parallel_parts_may_not_lean_on_their_order():
    text = (
        HEAD
        + """
 <datamodel><data id="n" expr="0" servitwin:range="0 3"/><data id="m" expr="0" servitwin:range="0 3"/></datamodel>
 <parallel id="p">
  <state id="l"><state id="l1"><transition event="go"><assign location="n" expr="1"/></transition></state></state>
  <state id="r"><state id="r1"><transition event="go"><assign location="m" expr="n"/></transition></state></state>
 </parallel></scxml>"""
    )
    assert [f.code for f in read_scxml(text)[1]] == ["scxml:order-matters"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('<!DOCTYPE x [<!ENTITY a "b">]><scxml/>', "xml:document-type"),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd"><scxml/>', "xml:document-type"),
        ("<scxml", "xml:syntax"), ("", "xml:syntax"), ("<html/>", "scxml:root"),
        ("<a>" * 100 + "</a>" * 100, "xml:too-deep"), ("<a>" + "<b/>" * 60_000 + "</a>", "xml:too-large"),
        ("x" * 3_000_000, "xml:too-large"),
    ],
)  # fmt: skip
def test_hostile_documents_are_refused(text, code):
    assert next(f.code for f in read_scxml(text)[1]) == code
