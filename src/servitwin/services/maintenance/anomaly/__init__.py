"""Service anomaly."""
