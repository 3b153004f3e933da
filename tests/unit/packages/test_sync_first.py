"""Package sync: each primitive does its one thing."""

from goruntime import go, run, runtime, sync, time


def test_a_mutex_lets_one_in_at_a_time():
    def main():
        mu, wg, count = sync.Mutex(), sync.WaitGroup(), [0]

        def add():
            for _ in range(50):
                with mu:
                    seen = count[0]
                    runtime.work(1e-6)
                    count[0] = seen + 1

        for _ in range(6):
            wg.go(add)
        wg.wait()
        mu.check()
        return count[0]

    assert [run(main, gomaxprocs=procs) for procs in (1, 4)] == [300, 300]


def test_a_cond_wakes_one_and_then_all():
    def main():
        mu, order = sync.Mutex(), []
        cond = sync.Cond(mu)

        def wait(number):
            with mu:
                cond.wait()
                order.append(number)

        for number in range(4):
            go(wait, number)
            runtime.gosched()
        cond.signal()
        time.sleep(0.01)
        order.append("all")
        cond.broadcast()
        time.sleep(0.01)
        cond.check()
        return order

    assert run(main, gomaxprocs=1) == [0, "all", 3, 1, 2]


def test_once():
    calls = []

    def main():
        once = sync.Once()
        for _ in range(3):
            once.do(lambda: calls.append("do"))
        first = sync.once_value(lambda: calls.append("value") or len(calls))
        return first(), first()

    assert run(main) == (2, 2)
    assert calls == ["do", "value"]
