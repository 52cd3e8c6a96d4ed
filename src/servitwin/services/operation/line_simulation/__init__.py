"""Service line_simulation."""
