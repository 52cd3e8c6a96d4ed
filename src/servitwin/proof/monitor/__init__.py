"""Monitors: verdicts of requirements over observations, online and over history."""
