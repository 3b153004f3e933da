"""The structure of Go's maps: groups, tables, the directory, iteration. It knows nothing of goroutines."""
