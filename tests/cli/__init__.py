"""The command line, from the outside: a process, its status, what it printed."""
