"""Four workers share one channel of jobs: which number up to 10,000 has the longest Collatz chain?

Look at how the pool ends: closing `jobs` ends the `for` loop of every worker. Python's own computing takes
no virtual time; runtime.work says what it costs on the simulated machine, here 1 µs for each step.
Try: one worker (the elapsed time becomes the computing time), then forty (four Ps cannot do better than a quarter
of it); `goruntime run -p 2`; jobs of 100 or of 5,000 numbers: the last one to finish decides how long it takes.
"""

from goruntime import chan, go, run, runtime, time

WORKERS = 4
LIMIT = 10_000
JOB_SIZE = 1_000
STEP = time.microsecond


def chain_length(n):
    length = 1
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        length += 1
    return length


def worker(jobs, results):
    for numbers in jobs:
        longest, start, steps = 0, 0, 0
        for n in numbers:
            length = chain_length(n)
            runtime.work(length * STEP)
            steps += length
            if length > longest:
                longest, start = length, n
        results.send((numbers, start, longest, steps))


def main():
    job_list = [range(first, first + JOB_SIZE) for first in range(1, LIMIT, JOB_SIZE)]
    jobs, results = chan(len(job_list)), chan()
    for numbers in job_list:
        jobs.send(numbers)
    jobs.close()

    began = time.now()
    for _ in range(WORKERS):
        go(worker, jobs, results)
    answers = [results.recv() for _ in job_list]
    elapsed = time.since(began)

    for numbers, start, longest, _ in sorted(answers, key=lambda answer: answer[0].start):
        print(f"{numbers.start:5} to {numbers.stop - 1:5}: {start:4} has a chain of {longest} numbers")
    computing = sum(steps for *_, steps in answers) * STEP
    print(f"{WORKERS} workers computed for {computing:.2f} s in {elapsed:.2f} s")


if __name__ == "__main__":
    run(main)
