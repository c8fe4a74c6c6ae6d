"""Black-box test and chaos harness for containers that serve a model."""

__version__ = "0.1.0"
