"""One folder per protocol; each is a plugin like a partner's."""
