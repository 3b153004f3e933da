"""A deadlock of a main that is locked to its thread: the goroutine header says so."""

from goruntime import run, runtime, select


def main():
    runtime.lock_os_thread()
    select()


if __name__ == "__main__":
    run(main)
