"""Service tool_wear."""
