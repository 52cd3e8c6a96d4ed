"""UCUM codes: what is one, what it measures, and conversion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.error import InvalidInputError
from servitwin.domain.unit import check_unit, conversion, convert, parse_unit
from servitwin.domain.unit_table import ATOMS, COMMON_MISTAKES, PREFIXES


@pytest.mark.parametrize(
    ("value", "source", "target", "wanted"),
    [
        (1.5, "kW", "W", 1500.0),
        (2.0, "kW.h", "J", 7_200_000.0),
        (25.0, "Cel", "K", 298.15),
        (25.0, "Cel", "[degF]", 77.0),
        (-40.0, "[degF]", "Cel", -40.0),
        (10.0, "Cel/min", "[degF]/h", 1080.0),
        (60.0, "/min", "Hz", 1.0),
        (1200.0, "{rev}/min", "/s", 20.0),
        (180.0, "deg", "rad", 3.141592653589793),
        (1.0, "bar", "Pa", 100_000.0),
        (14.5037737730209, "[psi]", "bar", 1.0),
        (1.0, "[in_i]", "mm", 25.4),
        (1.0, "m3/h", "L/min", 1000 / 60),
        (50.0, "%", "1", 0.5),
        (1.0, "[HP]", "W", 745.69987158227022),
        (1.0, "N.m", "J", 1.0),
        (1.0, "kg.m/s2", "N", 1.0),
        (1.0, "V.A", "W", 1.0),
        (1.0, "Ohm.A", "V", 1.0),
        (1.0, "m[H2O]", "kPa", 9.80665),
        (1.0, "[gal_us]", "L", 3.785411784),
        (3.0, "10*3", "1", 3000.0),
        (1.0, "dam", "m", 10.0),
        (1.0, "(m/s)/s", "m.s-2", 1.0),
        (1.0, "[g]", "m/s2", 9.80665),
        (1.0, "mCel", "K", 273.151),
        (1.0, "t", "kg", 1000.0),
    ],
)
def test_known_conversions(value, source, target, wanted):
    assert convert(value, source, target) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize(("wrong", "meant"), [("°C", "Cel"), ("rpm", "/min"), ("kWh", "kW.h"), ("m^3", "m3")])
def test_what_people_write_instead_is_told(wrong, meant):
    fault = check_unit(wrong)
    assert fault is not None
    assert fault.code == "unit:unknown"
    assert repr(meant) in fault.hint


@pytest.mark.parametrize(
    "code",
    ["", " ", "k W", "kW ", "kW..h", "kW/", "(m", "m)", "m//s", "0", "furlong", "[in", "{x", "m999", "10*99", "x" * 99],
)
def test_what_is_no_code_is_refused(code):
    fault = check_unit(code)
    assert fault is not None
    assert fault.code == "unit:unknown"
    assert fault.hint


@pytest.mark.parametrize(("source", "target"), [("kW", "Cel"), ("dB", "1"), ("/min", "rad/s"), ("%", "m")])
def test_different_things_are_not_converted(source, target):
    with pytest.raises(InvalidInputError) as caught:
        conversion(source, target)
    assert caught.value.fault.code == "unit:not-convertible"


def test_every_hint_for_a_common_mistake_is_itself_a_unit():
    assert {m: check_unit(m) for m in COMMON_MISTAKES.values() if check_unit(m)} == {}


@given(st.sampled_from(sorted(ATOMS)), st.sampled_from(["", *PREFIXES]), st.floats(-1e6, 1e6))
def test_there_and_back_again(atom, prefix, value):
    code = prefix + atom if ATOMS[atom][2] else atom
    if parse_unit(code).dimension != ATOMS[atom][0]:
        return  # another unit of that spelling: "Pa" is not a petayear
    assert convert(convert(value, code, atom), atom, code) == pytest.approx(value, rel=1e-9)


@given(st.text(max_size=80))
def test_any_text_is_a_unit_or_a_fault(text):
    fault = check_unit(text)
    assert fault is None or (fault.code == "unit:unknown" and len(fault.message) < 200)


@pytest.mark.parametrize("code", ["[V]1", "/[k]2", "[ueV]/", "dg[W]3", "s[0k]2"])
def test_a_proposal_that_is_no_unit_either_is_not_looked_for_for_ever(code: str) -> None:
    fault = check_unit(code)
    assert fault is not None and fault.code == "unit:unknown"
    assert "Did you mean" in fault.hint
