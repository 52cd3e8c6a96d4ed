"""Proof files, the writer's side: what is proven, with all that a stranger needs to check it, in one sealed file."""
