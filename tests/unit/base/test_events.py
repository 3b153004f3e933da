"""base.events: the schema of the one stream."""

import json
import zlib

import pytest

from goruntime.base import events
from goruntime.base.events import FIELDS, GO_READY, NAMES, EventChecksum, as_record, fan_out

# Recorded files carry the names, the order of the kinds and the names of their fields: append, never change.
SCHEMA = """
go_create: target function queue | go_start: queue why | go_park: reason object | go_ready: target queue reason object
go_end: | go_yield: queue why | go_syscall: function | go_sysexit: how | go_panic: text | go_unwind: why
chan_make: object capacity | chan_send: object how peer | chan_recv: object how peer | chan_close: object
select_done: index case_count | timer_set: object when_ns period_ns | timer_stop: object was_pending
timer_fire: object when_ns | proc_start: | proc_stop: why | proc_steal: victim count what | proc_retake: victim
proc_preempt: victim | thread_new: thread | thread_park: | thread_wake: thread why | thread_spin: on | thread_exit:
stw_begin: reason | stw_stopped: stopping_ns | stw_end: total_ns | maxprocs: old new | output: stream text
host_call_late: function | run_end: why
"""


def schema():
    for entry in SCHEMA.replace("\n", " | ").split("|"):
        name, colon, fields = entry.strip().partition(":")
        if colon:
            yield name, tuple(fields.split())


def test_kinds_are_numbered_and_named_as_recorded_files_have_them():
    known = list(schema())
    assert list(zip(NAMES, FIELDS, strict=True))[: len(known)] == known
    assert len(set(NAMES)) == len(NAMES) == len(FIELDS)
    for number, name in enumerate(NAMES):
        assert getattr(events, name.upper()) == number


@pytest.mark.parametrize("kind", range(len(NAMES)), ids=NAMES)
def test_as_record_names_every_field(kind):
    values = [f"value of {name}" for name in FIELDS[kind]]
    record = as_record((kind, 5, 1, 2, 3, *values))
    assert record == {
        "ns": 5, "m": 1, "p": 2, "g": 3, "event": NAMES[kind], **dict(zip(FIELDS[kind], values, strict=True)),
    }  # fmt: skip
    assert json.loads(json.dumps(record)) == record
    assert not {"ns", "m", "p", "g", "event"} & set(FIELDS[kind])


def test_as_record_refuses_an_event_with_other_fields():
    with pytest.raises(ValueError, match="zip"):
        as_record((GO_READY, 0, 0, 0, 0, 1))


def test_the_checksum_is_over_all_events_in_order():
    first, second = (1, 0, 0, 0, 1, "a"), (2, 1, 0, 0, 1, "b")
    sums = []
    for stream in ((first, second), (second, first), (first,), ()):
        checksum = EventChecksum()
        for event in stream:
            checksum(event)
        assert checksum.count == len(stream)
        sums.append(checksum.value())
    assert len(set(sums)) == 4
    assert sums[3] == 0
    assert sums[0] == zlib.crc32((repr(first) + repr(second)).encode())


def test_fan_out_is_free_for_none_and_direct_for_one():
    seen = []
    assert fan_out(()) is None
    assert fan_out((seen.append,)) == seen.append
    also = []
    emit = fan_out((seen.append, also.append))
    emit((1,))
    assert seen == also == [(1,)]
