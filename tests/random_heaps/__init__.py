"""Random types and allocations, written in Go and in Python at once: real Go's MemStats are the oracle."""
