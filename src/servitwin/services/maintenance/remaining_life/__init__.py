"""Service remaining_life."""
