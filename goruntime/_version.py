"""The version, in one place: packaging, `goruntime --version` and recorded files read it here."""

__version__ = "0.1.0"
