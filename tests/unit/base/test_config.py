"""base.config: what `run` accepts."""

import datetime
import re

import pytest

from goruntime.base import config as config_module
from goruntime.base.config import (
    NS,
    START_NS,
    environment_gomaxprocs,
    make_config,
    parse_bytes,
    parse_godebug,
    seconds_to_ns,
)
from goruntime.base.errors import FatalError


def test_defaults():
    config = make_config({}, host_cpus=17)
    assert (config.cpus, config.gomaxprocs, config.seed, config.clock) == (4, 4, 0, "virtual")
    assert config.quantum_ns == 5_000
    assert config.start_ns == START_NS == 946_684_800 * NS
    assert (config.max_time_ns, config.max_steps) == (0, 0)
    assert (config.strategy, config.events, config.checksum, config.observers) == (None, None, False, ())
    assert config.given == ()


def test_the_real_clock_has_the_cpus_of_the_host():
    config = make_config({"clock": "real"}, host_cpus=17)
    assert (config.cpus, config.gomaxprocs) == (17, 17)
    assert make_config({"clock": "real", "cpus": 3}, 17).gomaxprocs == 3


def test_gomaxprocs_comes_from_the_option_then_the_environment_then_cpus(monkeypatch):
    assert make_config({"cpus": 6}, 1).gomaxprocs == 6
    monkeypatch.setenv("GOMAXPROCS", "3")
    assert make_config({"cpus": 6}, 1).gomaxprocs == 3
    assert make_config({"cpus": 6, "gomaxprocs": 2}, 1).gomaxprocs == 2


@pytest.mark.parametrize("text", ["abc", "", "0", "-1", "1.5", "2x"])
def test_junk_in_the_environment_is_ignored_as_in_go(monkeypatch, text):
    monkeypatch.setenv("GOMAXPROCS", text)
    assert environment_gomaxprocs() is None
    assert make_config({}, 1).gomaxprocs == 4


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"gomaxprocs": "abc"}, TypeError, "gomaxprocs must be a positive integer, not 'abc'"),
        ({"gomaxprocs": True}, TypeError, "gomaxprocs must be a positive integer, not True"),
        ({"gomaxprocs": 2.0}, TypeError, "gomaxprocs must be a positive integer, not 2.0"),
        ({"gomaxprocs": 0}, ValueError, "gomaxprocs must be a positive integer, not 0"),
        ({"gomaxprocs": 1 << 17}, ValueError, "gomaxprocs must be at most 65536, not 131072"),
        ({"cpus": -2}, ValueError, "cpus must be a positive integer, not -2"),
        ({"seed": "x"}, TypeError, "seed must be an integer, not str"),
        ({"seed": True}, TypeError, "seed must be an integer, not bool"),
        ({"clock": "slow"}, ValueError, 'clock must be "virtual" or "real", not \'slow\''),
        ({"quantum": "1"}, TypeError, "quantum must be a number of seconds, not str"),
        ({"quantum": -1e-6}, ValueError, "quantum must not be negative: -1e-06"),
        ({"quantum": float("nan")}, ValueError, "quantum must be a number of seconds, not nan"),
        ({"godebug": 1}, TypeError, 'godebug must be a string such as "schedtrace=1000", not int'),
        ({"max_time": 0}, ValueError, "max_time must be positive: 0"),
        ({"max_time": "1"}, TypeError, "max_time must be a number of seconds, not str"),
        ({"max_steps": 0}, ValueError, "max_steps must be a positive integer, not 0"),
        ({"start": 0}, TypeError, "start must be a datetime, not int"),
        ({"observers": 3}, TypeError, "observers must be a sequence of Observer objects"),
        ({"gomaxproc": 1}, TypeError, "run: unknown option 'gomaxproc'"),
    ],
)
def test_what_is_refused(options, error, text):
    with pytest.raises(error) as caught:
        make_config(options, 4)
    assert str(caught.value) == text


def test_options_are_left_as_they_were():
    options = {"seed": 3, "gomaxprocs": 2}
    config = make_config(options, 4)
    assert options == {"seed": 3, "gomaxprocs": 2}
    assert config.given == ("seed", "gomaxprocs")


def test_none_is_the_default():
    config = make_config({"gomaxprocs": None, "cpus": None, "quantum": None, "max_time": None, "godebug": None}, 4)
    assert (config.gomaxprocs, config.quantum_ns, config.max_time_ns) == (4, 5_000, 0)


def test_times_are_nanoseconds_inside():
    config = make_config({"quantum": 50e-6, "max_time": 1.5}, 4)
    assert (config.quantum_ns, config.max_time_ns) == (50_000, 1_500_000_000)
    assert make_config({"quantum": 0}, 4).quantum_ns == 0


def test_start_is_an_instant():
    utc = datetime.UTC
    assert make_config({"start": datetime.datetime(2000, 1, 1, tzinfo=utc)}, 4).start_ns == START_NS
    assert make_config({"start": datetime.datetime(2000, 1, 1)}, 4).start_ns == START_NS
    east = datetime.timezone(datetime.timedelta(hours=2))
    at = datetime.datetime(2001, 9, 9, 3, 46, 40, 123456, tzinfo=east)
    assert make_config({"start": at}, 4).start_ns == 1_000_000_000_123_456_000
    assert make_config({"start": datetime.datetime(1969, 12, 31, tzinfo=utc)}, 4).start_ns == -86_400 * NS


def test_godebug_is_read_from_the_environment_and_the_option_wins(monkeypatch):
    monkeypatch.setenv("GODEBUG", "schedtrace=1,scheddetail=1")
    config = make_config({"godebug": "schedtrace=5"}, 4)
    assert config.godebug == {"schedtrace": "5", "scheddetail": "1"}
    assert config.debug_int("schedtrace") == 5
    assert config.debug_int("panicnil") == 0
    assert config.debug_value("panicnil") == ""


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("", {}),
        ("a=1", {"a": "1"}),
        ("a=1,b=2,a=3", {"a": "3", "b": "2"}),
        ("a,=1,b=,c==", {"b": "", "c": "="}),
        (" a = 1 , b=2", {"a": "1", "b": "2"}),
    ],
)
def test_parse_godebug(text, settings):
    assert parse_godebug(text) == settings


def test_a_setting_that_is_no_number_counts_as_zero():
    assert make_config({"godebug": "schedtrace=often"}, 4).debug_int("schedtrace") == 0


@pytest.mark.parametrize(
    ("seconds", "ns"),
    [
        (0, 0),
        (1, NS),
        (-2, -2 * NS),
        (1.5, 1_500_000_000),
        (1e-9, 1),
        (1e-10, 0),
        (0.1, 100_000_000),
        (1e300, (1 << 63) - 1),
        (float("inf"), (1 << 63) - 1),
        (float("-inf"), -(1 << 63)),
        (10**12, 10**21),
    ],
)
def test_seconds_to_ns(seconds, ns):
    assert seconds_to_ns(seconds, "d") == ns


def test_a_float_that_knows_its_nanoseconds_is_exact():
    class Exact(float):
        ns = 1_234_567_890_123_456_789

    assert seconds_to_ns(Exact(1234567890.1), "d") == Exact.ns


@pytest.mark.parametrize("value", [True, "1", None, 1j, [1]])
def test_what_is_no_number_of_seconds(value):
    with pytest.raises(TypeError, match=r"^d must be a number of seconds, not "):
        seconds_to_ns(value, "d")


def test_the_largest_gomaxprocs_is_accepted():
    assert make_config({"gomaxprocs": config_module.MAX_GOMAXPROCS}, 4).gomaxprocs == 65_536


# GOGC and GOMEMLIMIT.


@pytest.mark.parametrize(
    ("text", "percent"),
    [
        *[("", 100), ("off", -1), ("50", 50), ("0", 0), ("-5", -1), ("+7", 7), ("abc", 100), (" 50", 100)],
        *[("1e3", 100), ("2147483647", 2147483647), ("2147483648", 100), ("9" * 40, 100), ("5_0", 100), ("٣", 100)],
    ],
)
def test_gogc_of_the_environment(monkeypatch, text, percent):
    monkeypatch.setenv("GOGC", text)
    assert make_config({}, 1).gogc == percent
    assert make_config({"gogc": 30}, 1).gogc == 30


@pytest.mark.parametrize(("value", "percent"), [(0, 0), (250, 250), ("off", -1), (-1, -1), (-70, -1), (None, 100)])
def test_gogc_of_the_option(value, percent):
    assert make_config({"gogc": value}, 1).gogc == percent


# The cases of runtime/string_test.go TestParseByteCount, but for those that only differ in digits.
@pytest.mark.parametrize(
    ("text", "limit"),
    [
        *[("0", 0), ("1", 1), ("12345", 12345), ("0B", 0), ("12345B", 12345), ("0KiB", 0), ("5KiB", 5 << 10)],
        *[("5MiB", 5 << 20), ("5GiB", 5 << 30), ("5TiB", 5 << 40), ("+5MiB", 5 << 20), ("off", (1 << 63) - 1)],
        *[("9223372036854775807", (1 << 63) - 1), ("9223372036854775807B", (1 << 63) - 1)],
        ("8388607TiB", 8388607 << 40),
    ],
)
def test_bytes_as_go_writes_them(monkeypatch, text, limit):
    assert parse_bytes(text) == limit
    assert make_config({"gomemlimit": text}, 1).gomemlimit == limit
    monkeypatch.setenv("GOMEMLIMIT", text)
    assert make_config({}, 1).gomemlimit == limit


@pytest.mark.parametrize(
    "text",
    "aa -1 B iB MiB 5kiB 5mib 5MB 5M 5PiB 5.5MiB 5MiBB 9223372036854775808 8388608TiB --5 0x5 5iB OFF ٣".split(),
)
def test_what_is_no_number_of_bytes(monkeypatch, text):
    assert parse_bytes(text) is None
    with pytest.raises(ValueError, match="gomemlimit must be a number of bytes"):
        make_config({"gomemlimit": text}, 1)
    monkeypatch.setenv("GOMEMLIMIT", text)
    with pytest.raises(FatalError) as died:
        make_config({}, 1)
    head = f"GOMEMLIMIT={text}\nfatal error: malformed GOMEMLIMIT; see `go doc runtime/debug.SetMemoryLimit`\n"
    assert str(died.value) == head
    assert make_config({"gomemlimit": 5}, 1).gomemlimit == 5


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"gogc": "abc"}, TypeError, "gogc must be an integer or \"off\", not 'abc'"),
        ({"gogc": True}, TypeError, 'gogc must be an integer or "off", not True'),
        ({"gogc": 1.5}, TypeError, 'gogc must be an integer or "off", not 1.5'),
        ({"gogc": 1 << 31}, ValueError, "gogc must be at most 2147483647, not 2147483648"),
        ({"gomemlimit": -1}, ValueError, "gomemlimit must be from 0 to 9223372036854775807, not -1"),
        (
            {"gomemlimit": 1 << 63},
            ValueError,
            "gomemlimit must be from 0 to 9223372036854775807, not 9223372036854775808",
        ),
        ({"gomemlimit": 1.5}, TypeError, 'gomemlimit must be bytes, a string such as "64MiB", or "off", not 1.5'),
    ],
)
def test_what_the_knobs_of_the_collector_refuse(options, error, text):
    with pytest.raises(error, match=f"^{re.escape(text)}$"):
        make_config(options, 1)
