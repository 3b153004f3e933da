"""base.rng: the words behind every choice."""

import random

from goruntime.base.rng import BLOCK, Words


def test_words_have_30_bits_and_come_in_blocks():
    words = Words(7)
    block = words.block()
    assert len(block) == BLOCK
    assert all(0 <= word < 1 << 30 for word in block)
    assert words.block() != block


def test_the_words_of_a_seed_are_the_same_for_ever():
    """Written down once: another Python version, or a refactoring, must not change them."""
    assert Words(0).block()[:4] == [405538765, 580874174, 34163884, 602343042]
    assert Words(123456789).block()[-2:] == [356216698, 301820327]


def test_words_are_those_of_mersenne_twister():
    twister = random.Random(42)
    assert Words(42).block() == [twister.getrandbits(32) & (1 << 30) - 1 for _ in range(BLOCK)]


def test_streams_do_not_share_state():
    first, second = Words(1), Words(1)
    assert [first.block(), first.block()] == [second.block(), second.block()]


def test_nothing_is_drawn_before_it_is_needed():
    assert Words(1)._random is None
