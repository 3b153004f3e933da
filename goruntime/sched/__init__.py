"""Goroutines on M:P:G: run queues, parking, stealing, preemption, timers, system calls, sysmon."""
