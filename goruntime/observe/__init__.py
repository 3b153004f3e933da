"""What shows a run: readers of the event stream, and the texts that Go prints about its state."""
