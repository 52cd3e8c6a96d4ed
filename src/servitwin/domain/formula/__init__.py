"""Formulas of requirements: what they are, how they are read, checked and said in words."""
