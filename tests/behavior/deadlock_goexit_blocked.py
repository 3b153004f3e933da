"""Main calls Goexit while another goroutine stays blocked: the ordinary deadlock report, without main."""

from goruntime import go, run, runtime, select


def main():
    @go
    def func1():
        select()

    runtime.goexit()


if __name__ == "__main__":
    run(main)
