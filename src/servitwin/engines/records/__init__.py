"""Twins, types, parties, commands, audit: SQL."""
