"""What is sold, by lifecycle stage; each is a plugin like a partner's."""
