"""Tests of the structure of Go's maps."""
