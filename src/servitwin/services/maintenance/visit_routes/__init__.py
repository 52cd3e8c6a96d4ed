"""Service visit_routes."""
