"""One verb per file: what people and programs do with servitwin. ``ports.py`` says what they need of engines."""
