"""Durations in buckets."""

from __future__ import annotations

from math import inf

import pytest

from goruntime.sched.histogram import BUCKET_COUNT, SUB_BUCKET_COUNT, TimeHistogram, bucket_bounds


def bucket_of(duration_ns: int) -> int:
    histogram = TimeHistogram()
    histogram.record(duration_ns)
    counts = histogram.all_counts()
    assert sum(counts) == 1
    return counts.index(1)


def test_bounds_are_those_of_go() -> None:
    bounds = bucket_bounds()
    assert len(bounds) == 163  # metrics_dump.out: buckets=163 first=-Inf second=0 last=+Inf
    assert (bounds[0], bounds[1], bounds[-1]) == (-inf, 0.0, inf)
    assert bounds[1:9] == (0.0, 64e-9, 128e-9, 192e-9, 256e-9, 320e-9, 384e-9, 448e-9)
    assert bounds[-2] == (1 << 47) / 1e9
    assert list(bounds) == sorted(bounds)


# What Go's own test of the histogram records (runtime/histogram_test.go TestTimeHistogram), with values of our own.
def test_every_duration_lies_in_its_bucket() -> None:
    bounds = bucket_bounds()
    samples = [edge + offset for bits in range(47) for edge in (1 << bits, 3 << bits >> 1) for offset in (-1, 0, 1)]
    for duration_ns in [*samples, 0, 63, 64, 255, 256, (1 << 47) - 1]:
        if duration_ns < 0:
            continue
        index = bucket_of(duration_ns)
        assert bounds[index] <= duration_ns / 1e9 < bounds[index + 1], duration_ns


def test_every_bucket_is_reached_from_its_bound() -> None:
    for index, bound in enumerate(bucket_bounds()[1:-1], start=1):
        assert bucket_of(round(bound * 1e9)) == index


@pytest.mark.parametrize(("duration_ns", "index"), [(-1, 0), (-(1 << 60), 0), (1 << 47, 161), (1 << 62, 161)])
def test_what_is_outside_is_counted_at_the_ends(duration_ns: int, index: int) -> None:
    assert bucket_of(duration_ns) == index


def test_counts_add_up() -> None:
    histogram = TimeHistogram()
    for duration_ns in (1, 1, 300, -5, 1 << 50):
        histogram.record(duration_ns)
    counts = histogram.all_counts()
    assert len(counts) == BUCKET_COUNT * SUB_BUCKET_COUNT + 2
    assert sum(counts) == 5
    assert counts[1] == 2
