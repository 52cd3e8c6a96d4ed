"""Tables of UCUM: prefixes, atoms with dimension and factor, and what people write instead.

Source: UCUM specification 2.1, tables 1 to 24 (unitsofmeasure.org); constants as UCUM gives them.
"""

from __future__ import annotations

import math
from fractions import Fraction

Dimension = tuple[int, int, int, int, int, int, int]  # m, s, g, rad, K, C, cd
Atom = tuple[Dimension, Fraction, bool]  # dimension, factor in base units, whether a prefix may stand before it

# Two letters before one, so that "dam" is ten metres and not a tenth of an "am".
PREFIXES = {
    "da": 1, "Y": 24, "Z": 21, "E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "d": -1, "c": -2,
    "m": -3, "u": -6, "n": -9, "p": -12, "f": -15, "a": -18, "z": -21, "y": -24,
}  # fmt: skip

_D: dict[str, Dimension] = {
    "1": (0, 0, 0, 0, 0, 0, 0),
    "length": (1, 0, 0, 0, 0, 0, 0),
    "area": (2, 0, 0, 0, 0, 0, 0),
    "volume": (3, 0, 0, 0, 0, 0, 0),
    "time": (0, 1, 0, 0, 0, 0, 0),
    "frequency": (0, -1, 0, 0, 0, 0, 0),
    "mass": (0, 0, 1, 0, 0, 0, 0),
    "angle": (0, 0, 0, 1, 0, 0, 0),
    "solid angle": (0, 0, 0, 2, 0, 0, 0),
    "temperature": (0, 0, 0, 0, 1, 0, 0),
    "charge": (0, 0, 0, 0, 0, 1, 0),
    "luminous intensity": (0, 0, 0, 0, 0, 0, 1),
    "luminous flux": (0, 0, 0, 2, 0, 0, 1),
    "illuminance": (-2, 0, 0, 2, 0, 0, 1),
    "velocity": (1, -1, 0, 0, 0, 0, 0),
    "acceleration": (1, -2, 0, 0, 0, 0, 0),
    "force": (1, -2, 1, 0, 0, 0, 0),
    "pressure": (-1, -2, 1, 0, 0, 0, 0),
    "energy": (2, -2, 1, 0, 0, 0, 0),
    "power": (2, -3, 1, 0, 0, 0, 0),
    "current": (0, -1, 0, 0, 0, 1, 0),
    "voltage": (2, -2, 1, 0, 0, -1, 0),
    "capacitance": (-2, 2, -1, 0, 0, 2, 0),
    "resistance": (2, -1, 1, 0, 0, -2, 0),
    "conductance": (-2, 1, -1, 0, 0, 2, 0),
    "magnetic flux": (2, -1, 1, 0, 0, -1, 0),
    "flux density": (0, -1, 1, 0, 0, -1, 0),
    "inductance": (2, 0, 1, 0, 0, -2, 0),
    "dose": (2, -2, 0, 0, 0, 0, 0),
    "dynamic viscosity": (-1, -1, 1, 0, 0, 0, 0),
    "kinematic viscosity": (2, -1, 0, 0, 0, 0, 0),
    "linear density": (-1, 0, 1, 0, 0, 0, 0),
}
_PI = Fraction(math.pi)
_INCH = Fraction("0.0254")
_POUND = Fraction("453.59237")
_G = Fraction("9.80665")
_POUND_FORCE = _POUND * _G
_GALLON = 231 * _INCH**3
_BTU = Fraction("1055.05585262") * 1000


def _rows(dimension: str, prefixed: bool, **atoms: Fraction | int | str) -> dict[str, Atom]:
    return {name: (_D[dimension], Fraction(factor), prefixed) for name, factor in atoms.items()}


def _plain(dimension: str, atoms: dict[str, Fraction | int | str], prefixed: bool = False) -> dict[str, Atom]:
    return {name: (_D[dimension], Fraction(factor), prefixed) for name, factor in atoms.items()}


ATOMS: dict[str, Atom] = {
    **_plain("1", {"10*": 10, "10^": 10, "%": "0.01", "[ppth]": "1e-3", "[ppm]": "1e-6", "[ppb]": "1e-9"}),
    **_plain("1", {"[pptr]": "1e-12", "[pi]": _PI, "[ph]": 1}),
    **_rows("1", True, mol=6022136700000 * 10**11, bit=1, By=8, eq=6022136700000 * 10**11),
    **_rows("length", True, m=1, pc=Fraction("3.085678e16")),
    **_rows("length", False, AU=149597870691, Ao=Fraction("1e-10")),
    **_plain("length", {"[in_i]": _INCH, "[ft_i]": 12 * _INCH, "[yd_i]": 36 * _INCH, "[mi_i]": 63360 * _INCH}),
    **_plain("length", {"[nmi_i]": 1852, "[mil_i]": _INCH / 1000, "[fth_i]": 72 * _INCH}),
    **_rows("area", True, ar=100),
    **_rows("area", False, b=Fraction("1e-28")),
    **_plain("area", {"[sin_i]": _INCH**2, "[sft_i]": 144 * _INCH**2, "[syd_i]": 1296 * _INCH**2}),
    **_rows("volume", True, l="0.001", L="0.001", st=1),
    **_plain("volume", {"[cin_i]": _INCH**3, "[cft_i]": 1728 * _INCH**3, "[cyd_i]": 46656 * _INCH**3}),
    **_plain("volume", {"[gal_us]": _GALLON, "[qt_us]": _GALLON / 4, "[pt_us]": _GALLON / 8}),
    **_plain("volume", {"[foz_us]": _GALLON / 128, "[bbl_us]": 42 * _GALLON, "[gal_br]": "0.00454609"}),
    **_rows("time", True, s=1, a=31557600, a_j=31557600),
    **_rows("time", False, min=60, h=3600, d=86400, wk=604800, mo=2629800, mo_j=2629800, a_g=31556952, mo_g=2629746),
    **_rows("frequency", True, Hz=1, Bq=1, Bd=1, kat=6022136700000 * 10**11),
    **_rows("mass", True, g=1, t=1000000, u=Fraction("1.6605402e-24")),
    **_plain("mass", {"[lb_av]": _POUND, "[oz_av]": _POUND / 16, "[gr]": _POUND / 7000, "[car_m]": "0.2"}),
    **_plain("mass", {"[ston_av]": 2000 * _POUND, "[lton_av]": 2240 * _POUND, "[slug]": _POUND_FORCE / (12 * _INCH)}),
    **_rows("angle", True, rad=1),
    **_rows("angle", False, circ=2 * _PI, deg=_PI / 180),
    **_rows("angle", True, gon=_PI / 200),
    **_plain("angle", {"'": _PI / 10800, "''": _PI / 648000}),
    **_rows("solid angle", True, sr=1),
    **_rows("temperature", True, K=1),
    **_plain("temperature", {"[degR]": Fraction(5, 9)}),
    **_rows("charge", True, C=1),
    **_rows("luminous intensity", True, cd=1),
    **_rows("luminous flux", True, lm=1),
    **_rows("illuminance", True, lx=1),
    **_plain("velocity", {"[kn_i]": Fraction(1852, 3600), "[c]": 299792458}, True),
    **_plain("acceleration", {"[g]": _G}, True),
    **_rows("acceleration", True, Gal="0.01"),
    **_rows("force", True, N=1000, gf=_G, dyn="0.01"),
    **_plain("force", {"[lbf_av]": _POUND_FORCE}),
    **_rows("pressure", True, Pa=1000, bar=100000000),
    **_rows("pressure", False, atm=101325000, att=98066500),
    **_plain("pressure", {"[psi]": _POUND_FORCE / _INCH**2, "[in_i'H2O]": Fraction("9806.65") * 1000 * _INCH}),
    **_plain("pressure", {"[in_i'Hg]": Fraction("133322") * 1000 * _INCH}),
    **_plain("pressure", {"m[H2O]": Fraction("9806.65") * 1000, "m[Hg]": Fraction("133322") * 1000}, True),
    **_rows("energy", True, J=1000, eV=Fraction("1.60217733e-16"), cal=4184, erg="0.0001"),
    **_plain("energy", {"cal_IT": Fraction("4186.8"), "[Cal]": 4184000, "[Btu_IT]": _BTU, "[Btu]": _BTU}),
    **_rows("power", True, W=1000),
    **_plain("power", {"[HP]": 550 * 12 * _INCH * _POUND_FORCE}),
    **_rows("current", True, A=1),
    **_rows("voltage", True, V=1000),
    **_rows("capacitance", True, F="0.001"),
    **_rows("resistance", True, Ohm=1000),
    **_rows("conductance", True, S="0.001", mho="0.001"),
    **_rows("magnetic flux", True, Wb=1000),
    **_rows("flux density", True, T=1000, G="0.1"),
    **_rows("inductance", True, H=1000),
    **_rows("dose", True, Gy=1, Sv=1),
    **_rows("dynamic viscosity", True, P=100),
    **_rows("kinematic viscosity", True, St="0.0001"),
    **_rows("linear density", True, tex="0.001"),
}
# Kelvin = factor x value + offset; a prefix may stand before Cel alone, and no one writes one before the others.
TEMPERATURES: dict[str, tuple[Fraction, Fraction]] = {
    "Cel": (Fraction(1), Fraction("273.15")),
    "[degF]": (Fraction(5, 9), Fraction("459.67") * Fraction(5, 9)),
    "[degRe]": (Fraction(5, 4), Fraction("273.15")),
}
LOGARITHMIC = frozenset({"B", "Np", "[pH]", "B[V]", "B[mV]", "B[uV]", "B[W]", "B[kW]", "B[SPL]"})

COMMON_MISTAKES = {
    "°c": "Cel", "degc": "Cel", "deg_c": "Cel", "celsius": "Cel", "℃": "Cel", "cel": "Cel", "c": "Cel",
    "°f": "[degF]", "degf": "[degF]", "fahrenheit": "[degF]", "f": "[degF]", "kelvin": "K", "°": "deg",
    "degree": "deg", "degrees": "deg", "rpm": "/min", "1/min": "/min", "rev/min": "{rev}/min", "u/min": "/min",
    "percent": "%", "pct": "%", "kwh": "kW.h", "wh": "W.h", "mwh": "MW.h", "ah": "A.h", "va": "V.A", "kva": "kV.A",
    "var": "V.A", "nm": "N.m", "knm": "kN.m", "sec": "s", "second": "s", "seconds": "s", "minute": "min",
    "minutes": "min", "hr": "h", "hour": "h", "hours": "h", "day": "d", "days": "d", "week": "wk", "year": "a",
    "m^2": "m2", "m²": "m2", "m^3": "m3", "m³": "m3", "m/s^2": "m/s2", "m/s²": "m/s2", "mm^2": "mm2", "cm^3": "cm3",
    "m3/hr": "m3/h", "mm/sec": "mm/s", "m/sec": "m/s", "lpm": "L/min", "µm": "um", "μm": "um", "micron": "um",
    "microns": "um", "in": "[in_i]", "inch": "[in_i]", "ft": "[ft_i]", "feet": "[ft_i]", "yd": "[yd_i]",
    "mile": "[mi_i]", "mph": "[mi_i]/h", "lb": "[lb_av]", "lbs": "[lb_av]", "oz": "[oz_av]", "psi": "[psi]",
    "hp": "[HP]", "gal": "[gal_us]", "gpm": "[gal_us]/min", "ohm": "Ohm", "ω": "Ohm", "Ω": "Ohm", "hz": "Hz",
    "khz": "kHz", "db": "dB", "ppm": "[ppm]", "ppb": "[ppb]", "pcs": "1", "pieces": "1", "piece": "1", "parts": "1",
    "count": "1", "none": "1", "-": "1", "kg/m^3": "kg/m3", "liter": "L", "litre": "L", "ton": "t", "tonne": "t",
    "tons": "t", "byte": "By", "bytes": "By", "g-force": "[g]", "watt": "W", "volt": "V", "ampere": "A", "amp": "A",
    "amps": "A", "kph": "km/h", "kmh": "km/h", "kw": "kW", "mpa": "MPa", "kpa": "kPa", "kg/hr": "kg/h",
}  # fmt: skip
