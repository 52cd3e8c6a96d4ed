"""Service remaining_life_training."""
