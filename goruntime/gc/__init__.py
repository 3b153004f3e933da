"""Allocation and collection: where the heap meets the scheduler."""
