"""``servitwin bench``: what an installed servitwin reaches on this machine, measured on a node that is thrown away.

The benchmarks with peers and with 100 million rows need a checkout (``make bench``); these need nothing.
"""

from servitwin.bootstrap.bench.measure import measure
from servitwin.bootstrap.bench.plant import FLOORS, SIGNALS, TYPE

__all__ = ["FLOORS", "SIGNALS", "TYPE", "measure"]
