"""The hash of a key: 64 bits that depend on the map's seed.

Differs: it is the hash that Go uses on machines without AES instructions, and its secret words are constants; so with
an equal seed a key goes to the same group in every run, and a map of more than 896 entries splits its tables at other
moments than a Go program's does (which are others in each of its runs, too).
Go: internal/runtime/maps/runtime_hash64.go memHashFallback, memHash64Fallback; runtime/alg.go f64hash, nilinterhash.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

MASK64 = (1 << 64) - 1
M5 = 0x1D8E4E27C47D124F
# Go draws these when a process starts.
HASHKEY = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93)
KEY_0, KEY_1, KEY_2, KEY_3 = HASHKEY
LAST_8 = M5 ^ 8
C_0 = 33054211828000289
C_1 = 23344194077549503

Hasher = Callable[[Any, int], int]

_float64 = struct.Struct("<d")


def mix(a: int, b: int) -> int:
    """The two halves of the product, folded."""
    product = a * b
    return (product >> 64 ^ product) & MASK64


def hash_word(key: int, seed: int) -> int:  # hot: map store
    """Of an integer of 64 bits, a pointer."""
    key &= MASK64
    # Unoptimised form: mix(LAST_8, mix(key ^ KEY_1, key ^ seed ^ KEY_0)).
    product = (key ^ KEY_1) * (key ^ seed ^ KEY_0)
    product = ((product >> 64 ^ product) & MASK64) * LAST_8
    return (product >> 64 ^ product) & MASK64


def hash_bytes(data: bytes, seed: int) -> int:
    """Of memory: an integer of fewer bits, the bytes of a string."""
    size = len(data)
    word = int.from_bytes
    seed ^= KEY_0
    if size == 0:
        return seed
    if size < 4:
        a = data[0] | data[size >> 1] << 8 | data[size - 1] << 16
        b = 0
    elif size <= 8:
        half = 4 if size < 8 else 8
        a = word(data[:half], "little")
        b = word(data[-half:], "little")
    elif size <= 16:
        a = word(data[:8], "little")
        b = word(data[-8:], "little")
    else:
        left, at = size, 0
        if left > 48:
            seed_1 = seed_2 = seed
            while left > 48:
                w = struct.unpack_from("<6Q", data, at)
                seed = mix(w[0] ^ KEY_1, w[1] ^ seed)
                seed_1 = mix(w[2] ^ KEY_2, w[3] ^ seed_1)
                seed_2 = mix(w[4] ^ KEY_3, w[5] ^ seed_2)
                at += 48
                left -= 48
            seed ^= seed_1 ^ seed_2
        while left > 16:
            w = struct.unpack_from("<2Q", data, at)
            seed = mix(w[0] ^ KEY_1, w[1] ^ seed)
            at += 16
            left -= 16
        a, b = struct.unpack_from("<2Q", data, size - 16)
    return mix(M5 ^ size, mix(a ^ KEY_1, b ^ seed))


def hash_string(key: str, seed: int) -> int:
    """Of a string: of its bytes in UTF-8."""
    return hash_bytes(key.encode("utf-8", "surrogatepass"), seed)


def hash_float(key: float, seed: int) -> int:
    """Of a float: both zeros have the same."""
    if key == 0:
        return C_1 * (C_0 ^ seed) & MASK64
    return hash_bytes(_float64.pack(key), seed)


def hash_bool(key: bool, seed: int) -> int:
    """Of a bool: of its byte."""
    return hash_bytes(b"\1" if key else b"\0", seed)


def hash_integer(size: int) -> Hasher:
    """Of integers of so many bytes."""
    if size == 8:
        return hash_word
    mask = (1 << 8 * size) - 1

    def hash_short(key: int, seed: int) -> int:
        return hash_bytes((key & mask).to_bytes(size, "little"), seed)

    return hash_short


def hash_sequence(hashers: tuple[Hasher, ...]) -> Hasher:
    """Of a struct or an array, whose parts have these: of one after the other."""

    def hash_parts(key: tuple[Any, ...], seed: int) -> int:
        for hasher, part in zip(hashers, key, strict=True):
            seed = hasher(part, seed)
        return seed

    return hash_parts
