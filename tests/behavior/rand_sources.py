"""The numbers of Go's generators, of every kind."""

import fmt

from goruntime import rand, run


def main():
    seed = b"one seed of thirty-two bytes." + bytes(3)
    sources = [
        ("PCG(1, 2)", rand.PCG(1, 2)),
        ("PCG(1<<63, 1<<64-1)", rand.PCG(1 << 63, (1 << 64) - 1)),
        ("ChaCha8", rand.ChaCha8(seed)),
    ]
    for name, src in sources:
        r = rand.Rand(src)
        fmt.println(name)
        fmt.println(r.uint64(), r.uint32(), r.uint(), r.int64(), r.int32(), r.int_())
        for n in [1, 2, 3, 6, 10, 1 << 20, 1000003, (1 << 62) + 1, (1 << 63) - 1]:
            fmt.println("IntN", n, r.int_n(n), r.int_n(n), r.int_n(n))
        fmt.println(
            r.int64_n(5), r.int32_n(5), r.uint64_n((1 << 64) - 1), r.uint32_n((1 << 32) - 1), r.uint_n(7), r.n(9)
        )
        fmt.print_("[" + " ".join(map(str, r.perm(12))) + "]\n")
        words = ["a", "b", "c", "d", "e", "f"]
        r.shuffle(words)
        fmt.print_("[" + " ".join(words) + "]\n")
        for _ in range(5):
            fmt.print_(f"{r.float64():.17g} {r.float32():.9g} {r.norm_float64():.17g} {r.exp_float64():.17g}\n")
        # Far into the strips and tails of the ziggurat, and past ChaCha8's new keys.
        norm = exp = 0.0
        for _ in range(20000):
            norm += r.norm_float64()
            exp += r.exp_float64()
        fmt.print_(f"{norm:.9f} {exp:.9f}\n")
        z = rand.Zipf(r, 1.5, 2, 1000)
        fmt.println(z.uint64(), z.uint64(), z.uint64(), z.uint64(), z.uint64(), z.uint64(), r.uint64())


if __name__ == "__main__":
    run(main)
