"""Service process_control: statistical process control of a measured signal."""
