"""The kinds of entries that registers keep: one line each."""

from __future__ import annotations

from servitwin.domain.register import RegisterKind

KINDS: tuple[RegisterKind, ...] = ()
