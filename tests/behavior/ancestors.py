"""A panic in a grandchild: with GODEBUG=tracebackancestors the dump also names the goroutines it comes from."""

from goruntime import go, panic, run, select


def main():
    @go
    def func1():
        @go
        def func1_1():
            panic("grandchild")

        select()

    select()


if __name__ == "__main__":
    run(main)
