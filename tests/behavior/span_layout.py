"""Objects per 8 KiB span as seen from consecutive addresses: shows the 128-byte inline mark bits (Green Tea, 16..512 B)
and 128-byte pointer bitmap (scan, <=512 B).

Where Go's program makes slices, arrays of as many elements are made here: mallocgc is asked for the same.
"""

import fmt

from goruntime import Array, Ptr, Uint8, addr, new, run

SIZES = [
    16, 24, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 288, 320, 352, 384, 416, 448, 480,
    512, 576, 640, 704, 768, 896, 1024, 1152, 1280, 1536, 2048, 2688, 4096,
]  # fmt: skip
keep = []


def per_span(alloc):
    """Fill several fresh spans; the maximum seen is the span's object capacity.

    (A span may also hold a few unrelated runtime objects of the same class.)
    """
    counts = {}
    least_offset = {}
    while len(counts) < 12:
        p = alloc()
        b = p & -8192
        least_offset.setdefault(b, p - b)
        counts[b] = counts.get(b, 0) + 1
    return max(counts.values()), min(least_offset.values())


def allocator(kind, n):
    """What allocates n elements, and gives their address."""
    array = Array[kind, n]

    def alloc():
        b = new(array)
        keep.append(b)
        return addr(b)

    return alloc


def main():
    fmt.println("size  noscan_objs scan_objs  8192/size")
    for size in SIZES:
        n1, _ = per_span(allocator(Uint8, size))
        request = size // 8
        if size > 512:
            request -= 1  # leave room for the 8-byte malloc header
        n2, offset = per_span(allocator(Ptr[Uint8], request))
        fmt.println(f"{size:5d}  {n1:5d}      {n2:5d} (first object at span offset {offset}) {8192 // size:6d}")
    # 8-byte class (scan only for escaping single pointers)
    n3, _ = per_span(allocator(Ptr[Uint8], 1))
    fmt.println(f"{8:5d}            {n3:5d}   (scan)          {8192 // 8:6d}")


if __name__ == "__main__":
    run(main)
