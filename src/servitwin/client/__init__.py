"""Typed Python client of a node's API: ``Client(url, token)`` or ``Client.local(data_folder)``."""

from servitwin.client.client import Client

__all__ = ["Client"]
