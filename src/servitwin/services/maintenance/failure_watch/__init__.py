"""Service failure_watch."""
