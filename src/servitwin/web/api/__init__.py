"""The public API: a file per noun."""
