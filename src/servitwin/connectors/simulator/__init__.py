"""Simulated machines of a demo plant: an overhead crane, CNC mills and a conveyor cell that speak MQTT."""
