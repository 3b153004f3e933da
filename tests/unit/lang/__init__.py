"""The language: go, channels, select."""
