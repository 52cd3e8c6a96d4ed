"""FMUs and SSP packages that a company has brought in, as its register keeps them."""

from __future__ import annotations

from typing import Literal

import msgspec


class KeptFmu(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A model file. ``file``: its address among the node's files; ``fmi``: version of the standard, empty for SSP."""

    kind: Literal["fmu", "ssp"]
    file: str
    size: int
    title: str = ""
    fmi: str = ""
