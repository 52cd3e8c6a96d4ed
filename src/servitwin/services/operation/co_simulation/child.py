"""The process that one FMU runs in: it answers the master over two pipes and can do nothing else.

``python -m servitwin.services.operation.co_simulation.child FOLDER SCRATCH CPU_S MEMORY_MB``: FOLDER is the unpacked
FMU. Questions come on standard input and answers go to standard output, one JSON object a line; what the FMU prints
goes nowhere.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import msgspec

from servitwin.services.operation.co_simulation import sandbox

_INTEGERS = {"Integer", "Enumeration", "Int8", "UInt8", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64"}
MOST_VARIABLES = 20_000


class _Refused(Exception):  # noqa: N818 - becomes a fault in the answer
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Instance:
    """An FMU (FMI 2 or 3, co-simulation) as fmpy loads it, by names instead of value references."""

    def __init__(self, folder: str) -> None:
        from fmpy import read_model_description  # noqa: PLC0415 - loaded before the walls are built

        try:
            self.description = read_model_description(folder, validate=False)
        except Exception as e:
            raise _Refused("fmu:description", f"modelDescription.xml cannot be read: {e}"[:300]) from e
        self.folder = folder
        self.version = self.description.fmiVersion
        if self.version is None or self.version.split(".")[0] not in ("2", "3"):
            raise _Refused("fmu:version", f"It is an FMU of FMI {self.version}; FMI 2 and 3 can be run")
        if self.description.coSimulation is None:
            raise _Refused("fmu:no-co-simulation", "It holds no co-simulation: the model exchange form is not run")
        if len(self.description.modelVariables) > MOST_VARIABLES:
            raise _Refused("fmu:too-many-variables", f"It has {len(self.description.modelVariables)} variables")
        self.variables = {v.name: v for v in self.description.modelVariables}
        self._fmu: Any = None

    def shown(self) -> list[dict[str, Any]]:
        """Its variables as plain data."""
        return [
            {
                "name": v.name, "type": v.type, "causality": v.causality or "local",
                "variability": v.variability or "", "unit": v.unit or "", "start": str(v.start or ""),
                "description": (v.description or "")[:200],
            }
            for v in self.variables.values()
        ]  # fmt: skip

    def begin(self, start: dict[str, Any], begin: float, end: float) -> None:
        """Load, instantiate, set start values and initialise."""
        from fmpy.fmi2 import FMU2Slave  # noqa: PLC0415
        from fmpy.fmi3 import FMU3Slave  # noqa: PLC0415

        kind = FMU2Slave if self.version.startswith("2") else FMU3Slave
        self._fmu = kind(
            guid=self.description.guid, modelIdentifier=self.description.coSimulation.modelIdentifier,
            unzipDirectory=self.folder, instanceName="instance", requireFunctions=False,
        )  # fmt: skip
        self._fmu.instantiate()
        if self.version.startswith("2"):
            self._fmu.setupExperiment(startTime=begin, stopTime=end)
            self.set(start)
            self._fmu.enterInitializationMode()
        else:
            self.set(start)
            self._fmu.enterInitializationMode(startTime=begin, stopTime=end)

    def ready(self) -> None:
        """Inputs are as they will be at the start: initialisation is over."""
        self._fmu.exitInitializationMode()

    def step(self, at: float, step: float) -> None:
        """Go on by one communication step."""
        said = self._fmu.doStep(at, step)
        if isinstance(said, tuple) and (said[1] or said[2]):
            raise _Refused("fmu:ended", f"It ended the simulation by itself at {said[3]:g} s")

    def set(self, values: dict[str, Any]) -> None:
        """Set variables by name."""
        for name, value in values.items():
            variable = self._variable(name)
            reference = [variable.valueReference]
            if self.version.startswith("2"):
                if variable.type == "Real":
                    self._fmu.setReal(reference, [float(value)])
                elif variable.type == "Boolean":
                    self._fmu.setBoolean(reference, [bool(value)])
                elif variable.type == "String":
                    self._fmu.setString(reference, [str(value)])
                else:
                    self._fmu.setInteger(reference, [round(float(value))])
                continue
            setter = getattr(self._fmu, f"set{'Int64' if variable.type == 'Enumeration' else variable.type}")
            if variable.type in ("Float32", "Float64"):
                setter(reference, [float(value)])
            elif variable.type == "Boolean":
                setter(reference, [bool(value)])
            else:
                setter(reference, [str(value) if variable.type == "String" else round(float(value))])

    def get(self, names: list[str]) -> dict[str, Any]:
        """Values by name; what is no finite number is None."""
        found: dict[str, Any] = {}
        for name in names:
            variable = self._variable(name)
            reference = [variable.valueReference]
            if self.version.startswith("2"):
                kind = "Integer" if variable.type == "Enumeration" else variable.type
            else:
                kind = "Int64" if variable.type == "Enumeration" else variable.type
            value = getattr(self._fmu, f"get{kind}")(reference)[0]
            if isinstance(value, bytes):
                value = value.decode("utf-8", "replace")
            if variable.type == "Boolean":
                value = bool(value)
            found[name] = None if isinstance(value, float) and (value != value or abs(value) == float("inf")) else value  # noqa: PLR0124
        return found

    def _variable(self, name: str) -> Any:
        if name not in self.variables:
            raise _Refused("fmu:variable-unknown", f"It has no variable {name[:100]!r}")
        return self.variables[name]


def main(folder: str, scratch: str, cpu_s: int, memory_mb: int) -> None:
    """Build the walls and answer until the master closes the pipe."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    questions = os.fdopen(os.dup(0), "rb")
    nothing = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    import fmpy.fmi2  # noqa: PLC0415
    import fmpy.fmi3  # noqa: PLC0415, F401

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    how = sandbox.isolate()
    os.chdir(scratch)
    how["files"] = sandbox.forbid_files(sandbox.places_to_read(folder), scratch)
    sandbox.limit(cpu_s, memory_mb)
    instance: Instance | None = None
    for line in questions:
        asked = msgspec.json.decode(line)
        try:
            match asked["do"]:
                case "open":
                    instance = Instance(folder)
                    said: dict[str, Any] = {
                        "variables": instance.shown(), "sandbox": how, "fmi": instance.version,
                        "model": instance.description.modelName,
                    }  # fmt: skip
                case "begin":
                    assert instance is not None
                    instance.begin(asked["start"], asked["from"], asked["to"])
                    os.chdir(scratch)  # fmpy goes into the folder of the library
                    said = {"values": instance.get(asked["get"])}
                case "ready":
                    assert instance is not None
                    instance.set(asked["set"])
                    instance.ready()
                    said = {"values": instance.get(asked["get"])}
                case _:
                    assert instance is not None
                    instance.set(asked["set"])
                    instance.step(asked["at"], asked["step"])
                    said = {"values": instance.get(asked["get"])}
        except _Refused as e:
            said = {"code": e.code, "message": str(e)}
        except MemoryError:
            said = {"code": "fmu:memory", "message": "It needed more memory than it may have"}
        except Exception as e:  # noqa: BLE001 - foreign code: whatever goes wrong is told
            said = {"code": "fmu:failed", "message": f"{type(e).__name__}: {e}"[:500]}
        answers.write(msgspec.json.encode(said) + b"\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
