"""The scheduler, file by file: its structures alone, and inside small programs."""
