"""Connector http: payloads posted to the API."""
