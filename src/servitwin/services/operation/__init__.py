"""Services for the time in which machines work."""
