"""Readers of recorded machines: MTConnect test bed and batch of NIST."""

from servitwin.connectors.recorded.plugin import KINDS, open_recording

__all__ = ["KINDS", "open_recording"]
