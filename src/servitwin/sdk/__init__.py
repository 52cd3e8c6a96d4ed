"""All that a connector or a service may see of servitwin: protocols, manifest, shared checks."""
