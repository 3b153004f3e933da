"""What Go's compiler provides: go, chan, select, defer, panic, print."""
