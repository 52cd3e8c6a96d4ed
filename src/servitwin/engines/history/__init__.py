"""History of every signal in Delta Lake."""
