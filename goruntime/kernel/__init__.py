"""The simulated operating system under the scheduler: clocks, threads, futexes, blocking calls, and its costs."""
