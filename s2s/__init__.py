"""Train, evaluate and run recurrent sequence-to-sequence models."""

__version__ = "0.1.0"
