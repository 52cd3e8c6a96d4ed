"""Connector mqtt: servitwin's own topics, and foreign ones through mappings."""
