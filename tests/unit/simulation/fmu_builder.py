"""FMUs compiled from C for tests; without a compiler the tests are skipped with the reason."""

import base64
import io
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import fmpy.fmi2
import fmpy.fmi3
import pytest

SOURCES = Path(__file__).parent / "fmu_sources"
_FMI2 = """<?xml version="1.0"?>
<fmiModelDescription fmiVersion="2.0" modelName="Decay" guid="{1}">
 <CoSimulation modelIdentifier="Decay" canHandleVariableCommunicationStepSize="true"/>
 <ModelVariables>
  <ScalarVariable name="time" valueReference="0" causality="independent"><Real/></ScalarVariable>
  <ScalarVariable name="x" valueReference="1" causality="output"><Real start="1" unit="m"/></ScalarVariable>
  <ScalarVariable name="k" valueReference="2" variability="fixed" causality="parameter">
   <Real start="1"/></ScalarVariable>
  <ScalarVariable name="u" valueReference="3" causality="input"><Real start="0"/></ScalarVariable>
  <ScalarVariable name="probe" valueReference="4" causality="output"><Real/></ScalarVariable>
 </ModelVariables>
 <ModelStructure><Outputs><Unknown index="2"/></Outputs></ModelStructure>
</fmiModelDescription>"""
_FMI3 = """<?xml version="1.0"?>
<fmiModelDescription fmiVersion="3.0" modelName="VanDerPol" instantiationToken="{2}">
 <CoSimulation modelIdentifier="VanDerPol" canHandleVariableCommunicationStepSize="true"/>
 <ModelVariables>
  <Float64 name="time" valueReference="0" causality="independent" variability="continuous"/>
  <Float64 name="x0" valueReference="1" causality="output" initial="exact" start="2"/>
  <Float64 name="x1" valueReference="3" causality="output" initial="exact" start="0"/>
  <Float64 name="mu" valueReference="5" causality="parameter" variability="fixed" start="1"/>
 </ModelVariables>
 <ModelStructure/>
</fmiModelDescription>"""


def _others(source: str) -> str:
    """C of all other functions that the standard asks for: they answer with an error."""
    written = (SOURCES / source).read_text("utf-8")
    kind = fmpy.fmi2.FMU2Slave if source == "fmi2.c" else fmpy.fmi3.FMU3Slave
    names = [n for n in dir(kind) if n.startswith(source[:4]) and not re.search(rf"\b{n}\b", written)]
    return "".join(f"int {n}(void) {{ return 3; }}\n" for n in names)


def compiled(source: str, folder: Path, name: str, *defines: str) -> bytes:
    """A shared library."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler: FMUs that misbehave cannot be built")
    target, others = folder / f"{name}.so", folder / f"{name}.others.c"
    others.write_text(_others(source), "utf-8")
    flags = ["-shared", "-fPIC", "-O1", "-o", str(target), *(f"-D{d}" for d in defines)]
    subprocess.run([compiler, *flags, str(SOURCES / source), str(others)], check=True, capture_output=True)
    return target.read_bytes()


def packed(description: str, binaries: dict[str, bytes], **more: bytes) -> bytes:
    """The archive of an FMU."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("modelDescription.xml", description)
        for place, content in binaries.items():
            archive.writestr(place, content)
        for place, content in more.items():
            archive.writestr(place, content)
    return made.getvalue()


def decay(folder: Path, kind: int = 0, away: str = "/nowhere", port: int = 1) -> bytes:
    """x' = u - k x, that misbehaves from 0.45 s on as ``kind`` says (see the source)."""
    library = compiled("fmi2.c", folder, f"decay{kind}", f"KIND={kind}", f'AWAY="{away}"', f"PORT={port}")
    return packed(_FMI2, {"binaries/linux64/Decay.so": library})


def van_der_pol(folder: Path) -> bytes:
    """The Van der Pol oscillator as an FMU of FMI 3."""
    library = compiled("fmi3.c", folder, "van_der_pol")
    return packed(
        _FMI3, {"binaries/x86_64-linux/VanDerPol.so": library, "binaries/aarch64-linux/VanDerPol.so": library}
    )


def text(content: bytes) -> str:
    """As problems carry it."""
    return base64.b64encode(content).decode()
