"""The hash of keys."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from goruntime.lang.swiss.hash import (
    KEY_0,
    KEY_1,
    LAST_8,
    hash_bool,
    hash_bytes,
    hash_float,
    hash_integer,
    hash_sequence,
    hash_string,
    hash_word,
    mix,
)

SEEDS = st.integers(0, (1 << 64) - 1)


@given(st.integers(-(1 << 63), (1 << 64) - 1), SEEDS)
def test_word(key: int, seed: int) -> None:
    """The flat form is the plain one, and that is what the bytes of the word have."""
    plain = key & (1 << 64) - 1
    assert hash_word(key, seed) == mix(LAST_8, mix(plain ^ KEY_1, plain ^ seed ^ KEY_0))
    assert hash_word(key, seed) == hash_bytes(plain.to_bytes(8, "little"), seed)
    assert 0 <= hash_word(key, seed) < 1 << 64


def test_lengths() -> None:
    """Every length up to several rounds of 48 bytes gives its own hash, and so does every byte."""
    seen = {hash_bytes(bytes(size), 7) for size in range(200)}
    assert len(seen) == 200
    for size in (1, 3, 4, 7, 8, 9, 16, 17, 48, 49, 97, 150):
        data = bytes(size)
        changed = {hash_bytes(data[:at] + b"\1" + data[at + 1 :], 7) for at in range(size)}
        assert len(changed) == size
        assert hash_bytes(data, 7) not in changed
        assert hash_bytes(data, 8) != hash_bytes(data, 7)


# What Go 1.27.3 has, with the same secret words and the seed 7, of the first bytes of 1, 8, 15, ...
OF_GO = [
    (0, 0x9E3779B97F4A7C12), (1, 0x4156F29A88DB9D12), (2, 0xA4A7125F1EB50339), (3, 0xF85FC1BDA7B0E416),
    (4, 0x4B3F35151B73D5B0), (5, 0xF2CFF7B4801B672B), (7, 0xDA3188932E1D89AA), (8, 0x13900B05D2F5A4B9),
    (9, 0x1F754C6ECDC7FC5C), (16, 0x45F55F4B3931A0BF), (17, 0xA024431DDEE90E4), (32, 0x97F19C813719C002),
    (48, 0xE13D34770100FC14), (49, 0x934DA9D552848027), (96, 0x75B63FBDD4A5340C), (97, 0xD06C17D8E72A2976),
    (150, 0x332357199A583EE2), (200, 0x98EB47DC7113847F),
]  # fmt: skip


def test_as_go() -> None:
    """The same on every version of Python and every machine, and the same as Go's without AES."""
    data = bytes((number * 7 + 1) & 255 for number in range(200))
    for size, expected in OF_GO:
        assert hash_bytes(data[:size], 7) == expected, size
    assert hash_word(1, 1) == 0x11F4CB8B355F54AF
    assert hash_integer(4)(1, 1) == 0x5BFF1F90BA52C162
    assert hash_string("a\u00e9\ud800" * 20, 2) == 0xC27E5FCD55C450A3


def test_equal_keys() -> None:
    """What is equal has the same hash."""
    assert hash_float(0.0, 5) == hash_float(-0.0, 5)
    assert hash_float(1.5, 5) != hash_float(-1.5, 5)
    assert hash_integer(1)(-1, 5) == hash_integer(1)(255, 5)
    assert hash_integer(8) is hash_word
    assert hash_bool(True, 5) != hash_bool(False, 5)


def test_sequence() -> None:
    """Of a struct: all of its parts, in their order."""
    both = hash_sequence((hash_word, hash_string))
    assert both((1, "a"), 3) == hash_string("a", hash_word(1, 3))
    assert len({both((number, text), 3) for number in range(20) for text in "abcdef"}) == 120


def test_spread() -> None:
    """The bits that choose table, group and control byte are all different for consecutive integers."""
    hashes = [hash_word(key, 0) for key in range(4_096)]
    for shift, bits in ((54, 10), (7, 7), (0, 7)):
        counts = [0] * (1 << bits)
        for value in hashes:
            counts[value >> shift & (1 << bits) - 1] += 1
        mean = 4_096 / len(counts)
        assert max(counts) < mean + 6 * mean**0.5
