"""Functions that are compiled to machine code when they are first called, and run without the interpreter's lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F, **options: Any) -> F:
    """``function`` in machine code, kept on disk for the next process where there is a place that can be written."""
    try:
        return cast(F, njit(cache=True, nogil=True, **options)(function))
    except RuntimeError:  # neither the sources' folder nor the user's takes a cache
        return cast(F, njit(nogil=True, **options)(function))


def kernel(function: F) -> F:
    """The same for a function that makes no array: nobody counts who holds those that it is given.

    Where small functions hand many arrays on to each other, counting takes most of the time.
    """
    return compiled(function, _nrt=False)
