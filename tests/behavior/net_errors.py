"""What every error of a connection says, and what it is. Ports are written as P."""

import fmt

from goruntime import errors, net, os, run, time

ports = {}


def name(a):
    _, port = net.split_host_port(str(a))
    if port not in ports:
        ports[port] = f"P{len(ports) + 1}"


def error_of(call, *args):
    try:
        call(*args)
    except OSError as err:
        return err
    return None


def show(what, err):
    text = str(err)
    for port, name in ports.items():
        text = text.replace(":" + port, ":" + name)
    timeout = temporary = False
    if hasattr(err, "timeout") and hasattr(err, "temporary"):
        timeout, temporary = err.timeout(), err.temporary()
    sys = errors.as_(err, os.SyscallError)
    call = sys.syscall if sys is not None else ""
    fmt.println(
        what + ":", text, "|", timeout, temporary, errors.is_(err, net.err_closed),
        errors.is_(err, os.err_deadline_exceeded), errors.is_(err, os.err_closed), call, err.errno or 0,
    )  # fmt: skip


def main():
    listener = net.listen("tcp", "127.0.0.1:0")
    name(listener.addr())
    near = net.dial("tcp", str(listener.addr()))
    far = listener.accept()
    name(near.local_addr())

    show("refused", error_of(net.dial, "tcp", "127.0.0.1:1"))
    show("in use", error_of(net.listen, "tcp", str(listener.addr())))
    show("no port", error_of(net.dial, "tcp", "127.0.0.1"))
    show("bad port", error_of(net.dial, "tcp", "127.0.0.1:70000"))
    show("negative port", error_of(net.dial, "tcp", "127.0.0.1:-1"))
    show("unknown service", error_of(net.dial, "tcp", "127.0.0.1:nosuchservice"))
    show("many colons", error_of(net.dial, "tcp", "::1:80"))
    show("bracket", error_of(net.listen, "tcp", "[::1:0"))
    show("wrong family", error_of(net.dial, "tcp4", "[::1]:1"))
    show("empty", error_of(net.dial, "tcp", ""))
    show("network", error_of(net.dial, "tpc", "127.0.0.1:1"))
    show("listen network", error_of(net.listen, "", ":0"))
    show("not ours", error_of(net.listen, "tcp", "192.0.2.1:0"))
    show("no socket", error_of(net.dial, "unix", "/nonexistent/socket"))
    show("no directory", error_of(net.listen, "unix", "/nonexistent/socket"))

    near.set_read_deadline(time.now() + time.millisecond)
    show("deadline", error_of(near.read, 1))
    near.set_write_deadline(1)
    show("write deadline", error_of(near.write, b"x"))
    listener.set_deadline(1)
    show("accept deadline", error_of(listener.accept))
    near.set_deadline(None)

    far.set_linger(0)
    far.close()
    show("reset", error_of(near.read, 1))
    show("write after reset", error_of(near.write, b"x"))
    near.close()
    show("closed", error_of(near.read, 1))
    show("write closed", error_of(near.write, b"x"))
    show("close closed", error_of(near.close))
    show("set closed", error_of(near.set_deadline, time.now()))
    show("no delay closed", error_of(near.set_no_delay, True))
    show("close write closed", error_of(near.close_write))
    listener.close()
    show("accept closed", error_of(listener.accept))
    show("close listener", error_of(listener.close))

    r, w = os.pipe()
    r.set_read_deadline(1)
    show("pipe deadline", error_of(r.read, 1))
    r.close()
    show("pipe broken", error_of(w.write, b"x"))
    show("pipe closed", error_of(r.read, 1))
    show("pipe close closed", error_of(r.close))
    show("pipe set closed", error_of(r.set_deadline, time.now()))

    a, b = net.pipe()
    a.set_read_deadline(1)
    show("net pipe deadline", error_of(a.read, 1))
    b.close()
    show("net pipe write closed", error_of(a.write, b"x"))
    show("net pipe read closed", error_of(b.read, 1))


if __name__ == "__main__":
    run(main)
