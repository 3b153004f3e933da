"""The same programs in Go and in Python: what real Go printed is the expected output (docs/fidelity.md)."""
