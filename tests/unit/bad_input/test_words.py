"""What errors say: in the words of the call that was made, and never in those of what it is made of."""

import os as host

import pytest

from goruntime import context, errgroup, errors, go, net, os, run, singleflight, sync, time
from goruntime.lang.error import Panic

BG = context.background()

OUTSIDE = {
    "context.with_timeout": lambda: context.with_timeout(BG, 1),
    "context.with_timeout_cause": lambda: context.with_timeout_cause(BG, 1, None),
    "errgroup.Group.go": lambda: errgroup.Group().go(print),
    "errgroup.Group.try_go": lambda: errgroup.Group().try_go(print),
    "errgroup.Group.wait": lambda: errgroup.Group().wait(),
    "sync.WaitGroup.go": lambda: sync.WaitGroup().go(print),
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_outside_a_goroutine(name):
    with pytest.raises(RuntimeError, match=f"^{name} must be called from a goroutine"):
        OUTSIDE[name]()


NO_FUNCTION = {
    "go": (lambda: go(5), r"go(f, x), not go(f(x))"),
    "context.after_func": (lambda: context.after_func(BG, 5), "context.after_func(ctx, f, x)"),
    "singleflight": (lambda: singleflight.Group().do("key", 5), "singleflight.Group.do(key, f, x)"),
    "swapped": (lambda: time.after_func(print, 0.1), "time.after_func(d, f, x), not time.after_func(d, f(x))"),
}


@pytest.mark.parametrize("name", NO_FUNCTION)
def test_no_function(name):
    call, hint = NO_FUNCTION[name]

    def main():
        with pytest.raises(TypeError) as caught:
            call()
        assert f"is not callable; write {hint}" in str(caught.value)

    run(main)


def test_a_cancel_function_has_a_name():
    _, cancel = context.with_cancel(BG)
    with pytest.raises(TypeError, match=r"\bcancel\(\) takes 0 positional arguments"):
        cancel(ValueError("it takes no cause"))


@pytest.mark.parametrize("method", ["acquire", "release"])
def test_a_mutex_has_no_methods_of_threading(method):
    with pytest.raises(AttributeError, match=f"'Mutex' object has no attribute '{method}'"):
        getattr(sync.Mutex(), method)


def test_dialing():
    def main():
        dialer = net.Dialer()
        with pytest.raises(Panic, match="^nil context$"):
            dialer.dial_context(None, "tcp", "127.0.0.1:1")
        with pytest.raises(TypeError, match="net.Dialer.dial_context: ctx must be a context, not str"):
            dialer.dial_context("tcp", "127.0.0.1:1", BG)
        address = net.listen("tcp", "127.0.0.1:0").addr()
        with pytest.raises(TypeError, match=r"net.dial: address must be a str, not TCPAddr; write str\(address\)"):
            net.dial("tcp", address)
        with pytest.raises(net.OpError, match=r"^dial tcp: address 9+: invalid port$"):
            net.dial("tcp", "127.0.0.1:" + "9" * 5000)

    run(main)


def test_a_listener_that_is_closed_outside_keeps_its_path(tmp_path):
    path = str(tmp_path / "socket")
    kept = []
    run(lambda: kept.append(net.listen("unix", path)))
    with pytest.raises(RuntimeError, match=r"^net.Listener.close must be called from a goroutine"):
        kept[0].close()
    assert host.path.exists(path)


def test_reading_into_a_buffer():
    def main():
        reader, writer = os.pipe()
        buffer = bytearray(5)
        writer.write(b"abc")
        assert (reader.readinto(buffer), buffer) == (3, b"abc\0\0")
        assert reader.readinto(bytearray()) == 0
        with pytest.raises(TypeError, match="os.File.readinto: buffer must be a bytearray or the like, not int"):
            reader.readinto(5)
        with pytest.raises(TypeError, match="os.File.readinto: the buffer is read-only"):
            reader.readinto(b"12345")
        reader.set_deadline(time.now() + 0.001)
        with pytest.raises(TimeoutError, match=r"read \|0: i/o timeout"):
            reader.readinto(buffer)
        reader.close()
        with pytest.raises(os.PathError, match=r"read \|0: file already closed") as caught:
            reader.readinto(buffer)
        assert errors.is_(caught.value, os.err_closed)

    run(main)
