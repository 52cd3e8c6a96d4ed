"""Service failure_horizon."""
