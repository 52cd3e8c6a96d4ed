"""Service schedule."""
