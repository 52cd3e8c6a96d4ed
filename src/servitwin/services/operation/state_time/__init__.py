"""Service state_time."""
