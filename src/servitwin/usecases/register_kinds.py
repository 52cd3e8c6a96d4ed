"""The kinds of entries that registers keep: one line each."""

from __future__ import annotations

from servitwin.domain.register import RegisterKind
from servitwin.domain.schedule.master_data import PRODUCTION_KINDS

KINDS: tuple[RegisterKind, ...] = (*PRODUCTION_KINDS,)
