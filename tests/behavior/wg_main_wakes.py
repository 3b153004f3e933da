"""The last Done readies main into runnext: main goes on before goroutines that are still queued."""

from goruntime import go, print_, println, run, runtime, sync


def main():
    wg = sync.WaitGroup()
    wg.add(3)
    for i in range(3):

        @go
        def func1(i=i):
            print_("a", i, " ")
            wg.done()
            runtime.gosched()
            print_("b", i, " ")

    wg.wait()
    print_("main ")
    runtime.gosched()
    println("end")


if __name__ == "__main__":
    run(main)
