"""The heap: from size classes to pages, and what frees them. It knows nothing of goroutines."""
