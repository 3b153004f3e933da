package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

//o runs 5
//o env GOMAXPROCS=1

// What every error of a connection says, and what it is. Ports are written as P.
var ports = map[string]string{}

func name(a net.Addr) {
	if _, port, err := net.SplitHostPort(a.String()); err == nil && ports[port] == "" {
		ports[port] = fmt.Sprintf("P%d", len(ports)+1)
	}
}

func show(what string, err error) {
	text := fmt.Sprint(err)
	for port, name := range ports {
		text = strings.ReplaceAll(text, ":"+port, ":"+name)
	}
	timeout, temporary := false, false
	if ne, ok := err.(net.Error); ok {
		timeout, temporary = ne.Timeout(), ne.Temporary()
	}
	var sys *os.SyscallError
	call := ""
	if errors.As(err, &sys) {
		call = sys.Syscall
	}
	var errno syscall.Errno
	errors.As(err, &errno)
	fmt.Println(what+":", text, "|", timeout, temporary, errors.Is(err, net.ErrClosed), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, os.ErrClosed), call, int(errno))
}

func dial(network, address string) error {
	_, err := net.Dial(network, address)
	return err
}

func listen(network, address string) error {
	_, err := net.Listen(network, address)
	return err
}

func main() {
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	name(l.Addr())
	near, _ := net.Dial("tcp", l.Addr().String())
	far, _ := l.Accept()
	name(near.LocalAddr())

	show("refused", dial("tcp", "127.0.0.1:1"))
	show("in use", listen("tcp", l.Addr().String()))
	show("no port", dial("tcp", "127.0.0.1"))
	show("bad port", dial("tcp", "127.0.0.1:70000"))
	show("negative port", dial("tcp", "127.0.0.1:-1"))
	show("unknown service", dial("tcp", "127.0.0.1:nosuchservice"))
	show("many colons", dial("tcp", "::1:80"))
	show("bracket", listen("tcp", "[::1:0"))
	show("wrong family", dial("tcp4", "[::1]:1"))
	show("empty", dial("tcp", ""))
	show("network", dial("tpc", "127.0.0.1:1"))
	show("listen network", listen("", ":0"))
	show("not ours", listen("tcp", "192.0.2.1:0"))
	show("no socket", dial("unix", "/nonexistent/socket"))
	show("no directory", listen("unix", "/nonexistent/socket"))

	near.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := near.Read(make([]byte, 1))
	show("deadline", err)
	near.SetWriteDeadline(time.Unix(1, 0))
	_, err = near.Write([]byte("x"))
	show("write deadline", err)
	l.(*net.TCPListener).SetDeadline(time.Unix(1, 0))
	_, err = l.Accept()
	show("accept deadline", err)
	near.SetDeadline(time.Time{})

	far.(*net.TCPConn).SetLinger(0)
	far.Close()
	_, err = near.Read(make([]byte, 1))
	show("reset", err)
	_, err = near.Write([]byte("x"))
	show("write after reset", err)
	near.Close()
	_, err = near.Read(make([]byte, 1))
	show("closed", err)
	_, err = near.Write([]byte("x"))
	show("write closed", err)
	show("close closed", near.Close())
	show("set closed", near.SetDeadline(time.Now()))
	show("no delay closed", near.(*net.TCPConn).SetNoDelay(true))
	show("close write closed", near.(*net.TCPConn).CloseWrite())
	l.Close()
	_, err = l.Accept()
	show("accept closed", err)
	show("close listener", l.Close())

	r, w, _ := os.Pipe()
	r.SetReadDeadline(time.Unix(1, 0))
	_, err = r.Read(make([]byte, 1))
	show("pipe deadline", err)
	r.Close()
	_, err = w.Write([]byte("x"))
	show("pipe broken", err)
	_, err = r.Read(make([]byte, 1))
	show("pipe closed", err)
	show("pipe close closed", r.Close())
	show("pipe set closed", r.SetDeadline(time.Now()))

	a, b := net.Pipe()
	a.SetReadDeadline(time.Unix(1, 0))
	_, err = a.Read(make([]byte, 1))
	show("net pipe deadline", err)
	b.Close()
	_, err = a.Write([]byte("x"))
	show("net pipe write closed", err)
	_, err = b.Read(make([]byte, 1))
	show("net pipe read closed", err)
}
