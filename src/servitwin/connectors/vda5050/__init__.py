"""Connector vda5050: mobile robots that speak VDA 5050, their fleet master, and simulated robots."""
