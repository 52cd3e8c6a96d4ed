"""Service load_spectrum."""
