"""The simulated operating system, without a scheduler on it."""
