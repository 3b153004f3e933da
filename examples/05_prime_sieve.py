"""Prime numbers out of a growing chain of goroutines: each lets through what its prime does not divide.

Look at the count in the end: one goroutine for each prime found, one that counts upwards, and main. Every
number hops from channel to channel until a filter drops it, so nearly all of this program is switching.
Try: 500 primes with GODEBUG=schedtrace=1 in the environment: a line for each virtual millisecond, with the length
of the queue of each P in brackets; the same with `goruntime run -p 1`.
"""

from goruntime import chan, go, run, runtime


def count(out):
    n = 2
    while True:
        out.send(n)
        n += 1


def sieve(prime, numbers, out):
    for n in numbers:
        if n % prime:
            out.send(n)


def main():
    numbers = chan()
    go(count, numbers)
    for _ in range(20):
        prime = numbers.recv()
        print(prime, end=" ")
        rest = chan()
        go(sieve, prime, numbers, rest)
        numbers = rest
    print()
    print("goroutines:", runtime.num_goroutine())


if __name__ == "__main__":
    run(main)
