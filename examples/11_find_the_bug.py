"""A bank moves money both ways at once. One run says that all is well; explore looks at the others.

Look at the failure: a column for each goroutine (1 is main, 1.1 and 1.2 are what it started), a row for each step.
Each takes the key that the other one needs next. Replaying the schedule gives the same deadlock every time.
Random walks find it in no time, but cannot say that there is none. For the repaired program dfs says `proved`:
every order in which these goroutines can run has been tried.
Try: print(report); a third account, with transfers in a circle; no locks, but runtime.gosched() between reading
and writing a balance, which loses money.
"""

from goruntime import Deadlock, chan, go, run
from goruntime.check import explore, replay


class Account:
    def __init__(self, number, balance):
        self.number = number
        self.balance = balance
        self.key = chan(1)
        self.key.send("key")


def transfer(source, target, amount, locks, done):
    for account in locks:
        account.key.recv()
    source.balance -= amount
    target.balance += amount
    for account in locks:
        account.key.send("key")
    done.send(None)


def two_transfers(order):
    savings, checking = Account(1, 100), Account(2, 100)
    done = chan()
    go(transfer, savings, checking, 30, order(savings, checking), done)
    go(transfer, checking, savings, 10, order(checking, savings), done)
    done.recv()
    done.recv()
    assert (savings.balance, checking.balance) == (80, 120)


def source_first(source, target):
    return [source, target]


def by_number(source, target):
    return sorted((source, target), key=lambda account: account.number)


def main():
    two_transfers(source_first)


def repaired():
    two_transfers(by_number)


if __name__ == "__main__":
    run(main)
    print("one run: no complaint")

    report = explore(main, strategy="random", schedules=1_000)
    print("explored:", report.verdict)
    print()
    failure = report.failures[0]
    print(failure.explain())
    for attempt in range(3):
        try:
            replay(main, failure.schedule)
        except Deadlock as deadlock:
            print(f"replay {attempt + 1}:", str(deadlock).splitlines()[0])

    report = explore(repaired, strategy="dfs", schedules=100_000)
    print("repaired:", report.verdict)
