"""How long tests wait for what must become true before they say that it did not."""

PATIENCE = 4.0
"""Waits are written for a machine that does nothing else; whoever shares its processors gets this many times as long.

A wait that ends early costs nothing, so only a test that fails takes longer. Claims of speed are not made this way:
they are benchmarks, or tests marked ``long`` that run by themselves.
"""
