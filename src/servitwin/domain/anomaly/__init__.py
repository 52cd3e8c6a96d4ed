"""Anomalies of one machine without labels: learnt from a first stretch of its signals, scored as data come in."""
