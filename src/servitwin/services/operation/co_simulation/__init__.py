"""Service co_simulation."""
