"""A span set is a queue; what was taken out is not kept."""

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from goruntime.heap.span import Span
from goruntime.heap.spanset import LEAST, SpanSet


def test_gives_what_was_put_in_first():
    spans, first, second = SpanSet(), Span(), Span()
    spans.push(first)
    spans.push(second)
    assert list(spans) == [first, second]
    assert (spans.pop(), spans.pop(), spans.pop(), len(spans)) == (first, second, None, 0)


@given(st.lists(st.integers(-3 * LEAST, 3 * LEAST), max_size=12))
def test_is_a_queue(steps):
    spans, model = SpanSet(), deque()
    for step in steps:
        for _ in range(abs(step)):
            if step > 0:
                span = Span()
                spans.push(span)
                model.append(span)
            else:
                assert spans.pop() is (model.popleft() if model else None)
        assert list(spans) == list(model)
        assert len(spans) == len(model)
        assert len(spans._spans) <= max(2 * len(model), len(model) + LEAST)
