"""Service availability."""
