"""The same program, configuration and seed give the same events: everywhere, every time."""
