"""What shows a run: events, observers, recordings, schedtrace."""
