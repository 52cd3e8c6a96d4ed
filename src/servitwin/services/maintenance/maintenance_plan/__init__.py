"""Service maintenance_plan."""
