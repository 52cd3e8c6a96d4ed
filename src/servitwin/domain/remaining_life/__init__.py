"""Remaining life: records of runs to failure, features per regime, models in plain numbers, intervals that cover."""
