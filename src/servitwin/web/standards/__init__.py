"""Twins in the industry's standard forms over HTTP."""
