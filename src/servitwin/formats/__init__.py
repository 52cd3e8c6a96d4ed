"""The same twin in other people's words: pure readers and writers."""
