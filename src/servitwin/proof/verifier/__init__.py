"""The stand-alone verifier of proof files: Python and ``cryptography``, nothing else, small enough to read.

Read in this order: ``verify`` (what is checked), ``canonical`` and ``merkle`` (bytes and trees), ``keys``,
``statements`` and ``log`` (who said what), ``columns`` and ``excerpt`` (the observations), ``held``, ``step`` and
``formula`` (the requirement evaluated again), ``claim``, ``words``; ``release`` reads the other kind of file, that of a
release that passed the gate. The formats are in ``docs/concepts/evidence.md``,
the meaning of formulas in ``docs/concepts/requirement.md``. Copy this folder anywhere and run
``python -m verifier FILE``.
"""

from .refusal import RefusedError
from .release import verify_release
from .verify import Result, verify

__all__ = ["RefusedError", "Result", "verify", "verify_release"]
