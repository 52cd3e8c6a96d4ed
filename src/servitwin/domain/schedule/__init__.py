"""Production schedules: the problem, the plan, its check, its reasons, and what becomes of it when reality changes."""
