"""Service oee."""
