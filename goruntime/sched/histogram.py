"""How long things took: counts of durations in buckets, as package runtime/metrics shows them.

The buckets are powers of two, each cut into four. So a bucket is never wider than a quarter of what it holds, and 160
of them reach from 0 to 2**47 ns, 39 hours. What is longer has a bucket of its own, and so has what is negative.

Go: runtime/histogram.go timeHistogram.
"""

from __future__ import annotations

from math import inf

MIN_BUCKET_BITS = 9  # below 2**8 ns there are no powers of two any more, only the four parts of that
MAX_BUCKET_BITS = 48
SUB_BUCKET_BITS = 2
SUB_BUCKET_COUNT = 1 << SUB_BUCKET_BITS
BUCKET_COUNT = MAX_BUCKET_BITS - MIN_BUCKET_BITS + 1


class TimeHistogram:
    """Durations, counted. Units: virtual nanoseconds."""

    __slots__ = ("counts", "overflow", "underflow")

    def __init__(self) -> None:
        self.counts = [0] * (BUCKET_COUNT * SUB_BUCKET_COUNT)
        self.underflow = 0
        self.overflow = 0

    def record(self, duration_ns: int) -> None:
        """Count one duration.

        Go: runtime/histogram.go timeHistogram.record.
        """
        if duration_ns < 0:
            self.underflow += 1
            return
        bits = duration_ns.bit_length()
        if bits < MIN_BUCKET_BITS:
            bits = MIN_BUCKET_BITS
            bucket = 0
        else:
            bucket = bits - MIN_BUCKET_BITS + 1
        if bucket >= BUCKET_COUNT:
            self.overflow += 1
            return
        part = duration_ns >> (bits - 1 - SUB_BUCKET_BITS) & SUB_BUCKET_COUNT - 1
        self.counts[bucket * SUB_BUCKET_COUNT + part] += 1

    def all_counts(self) -> tuple[int, ...]:
        """One count for each bucket between two bounds: what was negative first, what was too long last.

        Go: runtime/histogram.go timeHistogram.write.
        """
        return (self.underflow, *self.counts, self.overflow)


def bucket_bounds() -> tuple[float, ...]:
    """The bounds of the buckets, in seconds.

    Go: runtime/histogram.go timeHistogramMetricsBuckets.
    """
    shift = MIN_BUCKET_BITS - 1 - SUB_BUCKET_BITS
    bounds = [part << shift for part in range(SUB_BUCKET_COUNT)]
    for bits in range(MIN_BUCKET_BITS, MAX_BUCKET_BITS):
        shift = bits - 1 - SUB_BUCKET_BITS
        bounds += [1 << bits - 1 | part << shift for part in range(SUB_BUCKET_COUNT)]
    bounds.append(1 << MAX_BUCKET_BITS - 1)
    return (-inf, *(bound / 1e9 for bound in bounds), inf)
