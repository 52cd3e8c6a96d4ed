"""Tests of the language of requirements."""
