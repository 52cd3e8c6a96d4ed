"""servitwin: digital twins that end in something a customer can check and a manufacturer can invoice."""

__version__ = "0.1.0"
