"""Service part_trace: what became of each part."""
