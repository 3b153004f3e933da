"""A pending timer (a long sleep) keeps the deadlock detector quiet: Go would hang here for an hour."""

import sys

from goruntime import Timeout, go, run, select, time


def main():
    @go
    def func1():
        time.sleep(time.hour)

    select()


if __name__ == "__main__":
    try:
        run(main, max_time=1.5)
    except Timeout:
        sys.exit(124)  # the status of timeout(1)
