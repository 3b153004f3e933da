"""A search asks three replicas of each service, takes the fastest answer of each, and waits so long and no longer.

Look at the three uses of select: wait for the first of several, with a deadline (`time.after` is a channel like
any other), and with `default`, not at all. Note that ONE deadline covers the whole search.
Try: `time.after(timeout)` inside the loop (a deadline for each answer); `answers = chan()` without room for the
losers: they wait to send for ever, and the number of goroutines shows it.
"""

from goruntime import chan, default, go, run, runtime, select, time

LATENCY = {
    "web": (0.050, 0.020, 0.090),
    "images": (0.130, 0.115, 0.300),
    "news": (0.070, 0.060, 0.200),
}


def replica(service, latency, answers):
    time.sleep(latency)
    answers.send(f"{service} in {latency * 1000:.0f} ms")


def fastest(service, results):
    answers = chan(len(LATENCY[service]))
    for latency in LATENCY[service]:
        go(replica, service, latency, answers)
    results.send(answers.recv())


def search(timeout):
    results = chan(len(LATENCY))
    for service in LATENCY:
        go(fastest, service, results)
    deadline = time.after(timeout)
    for _ in LATENCY:
        match select(results.recv, deadline.recv):
            case 0, answer:
                print("  ", answer)
            case _:
                print("   no time left")
                break
    return results


def main():
    for timeout in 0.2, 0.1:
        print(f"search for {timeout} s:")
        results = search(timeout)
    print("was anything late?")
    for wait in 0, 0.05:
        time.sleep(wait)
        match select(results.recv, default):
            case 0, answer:
                print("  ", answer)
            case _:
                print("   not yet")
    time.sleep(1)
    print("goroutines:", runtime.num_goroutine())


if __name__ == "__main__":
    run(main)
