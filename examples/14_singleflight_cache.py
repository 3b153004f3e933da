"""A cache in front of a slow database: a hundred requests for the same page, one query.

Look at `get`: without singleflight everybody who misses asks the database, and the moment a popular page expires is
when it breaks (a "cache stampede"). `flights.do` lets the first one ask; whoever comes meanwhile waits for that answer.
The RWMutex lets any number of readers look at once; only storing a page keeps them out.
Try: --stampede, which leaves singleflight out; a TTL of 0.02, so that pages expire more often.
"""

import sys

from goruntime import atomic, rand, run, singleflight, sync, time

PAGES = "home", "news", "sport"
READERS = 100
VISITS = 20
QUERY = 30 * time.millisecond
TTL = 0.2


class Cache:
    def __init__(self, protected):
        self.lock = sync.RWMutex()
        self.pages = {}
        self.flights = singleflight.Group()
        self.protected = protected
        self.hits, self.queries, self.shared = atomic.Int64(), atomic.Int64(), atomic.Int64()

    def get(self, key):
        with self.lock.rlocker():
            page, expires = self.pages.get(key, (None, 0))
        if time.now() < expires:
            self.hits.add(1)
            return page
        if not self.protected:
            return self.load(key)
        page, shared = self.flights.do(key, lambda: self.load(key))
        if shared:
            self.shared.add(1)
        return page

    def load(self, key):
        """Ask the database, and keep the answer for a while."""
        self.queries.add(1)
        time.sleep(QUERY)
        page = f"<h1>{key}</h1>"
        with self.lock:
            self.pages[key] = page, time.now() + TTL
        return page


def reader(cache, slowest):
    for _ in range(VISITS):
        key = PAGES[rand.int_n(len(PAGES))]
        start = time.now()
        assert cache.get(key) == f"<h1>{key}</h1>"
        slowest.append(time.since(start))
        time.sleep(rand.float64() * 0.1)


def main(protected):
    cache, waits = Cache(protected), []
    readers = sync.WaitGroup()
    for _ in range(READERS):
        readers.go(reader, cache, waits)
    readers.wait()
    print(f"{READERS * VISITS} visits: {cache.hits.load()} from the cache, {cache.queries.load()} queries")
    print(f"{cache.shared.load()} visits shared the answer of a query; the longest wait was {max(waits) * 1000:.0f} ms")


if __name__ == "__main__":
    run(main, "--stampede" not in sys.argv)
