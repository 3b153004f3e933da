"""Size-class rounding measured from MemStats: bytes charged per object for pointer-free and pointerful requests.

Go's program measures every size; here a size is looked for at which the charge changes, by halving: that charges never
fall as sizes grow is what tests of the size classes show. Where Go's program makes slices, arrays of as many elements
are made here: mallocgc is asked for the same.
"""

import fmt

from goruntime import Array, Ptr, Uint8, new, run, runtime


def charge(n, kind, length):
    array = Array[kind, length]
    a = runtime.read_mem_stats()
    for _ in range(n):
        new(array)
    b = runtime.read_mem_stats()
    return (b.mallocs - a.mallocs) / n, (b.total_alloc - a.total_alloc) / n


def boundaries(kind, unit, first, last):
    """Where the charge changes: "REQUEST->SLOT " each, requests in bytes."""
    text = ""
    length = first
    while length <= last:
        _, b = charge(2, kind, length)
        text += f"{length * unit}->{b:.0f} "
        low, high = length, last + 1  # the charge is b at low, and is not at high
        while high - low > 1:
            middle = (low + high) // 2
            if charge(2, kind, middle)[1] == b:
                low = middle
            else:
                high = middle
        length = high
    return text


def main():
    n = 200
    # noscan: print every boundary where the charged size changes
    fmt.println("noscan: first request size that yields a new slot size (size>=16)")
    fmt.println(boundaries(Uint8, 1, 16, 33000))
    fmt.println("scan (len = words): first request bytes that yields a new slot size")
    fmt.println(boundaries(Ptr[Uint8], 8, 1, 4200))
    for size in (32760, 32761, 32768, 32769, 40960, 40961, 65536, 100000, 1 << 20, (1 << 20) + 1):
        m, b = charge(n // 20, Uint8, size)
        m2, b2 = charge(n // 20, Ptr[Uint8], (size + 7) // 8)
        fmt.println(
            f"large req={size} noscan mallocs={m:.1f} bytes={b:.0f}"
            f" | scan(req={(size + 7) // 8 * 8}) mallocs={m2:.1f} bytes={b2:.0f}"
        )


if __name__ == "__main__":
    run(main)
