"""Services that keep machines running: what comes, and what to do about it."""
