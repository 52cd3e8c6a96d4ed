"""Nouns and rules. No input or output, no clock, no framework: standard library, msgspec and numpy only."""
