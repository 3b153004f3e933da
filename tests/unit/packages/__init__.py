"""Tests of Go's packages: time, runtime, os, debug, and of syscall."""
