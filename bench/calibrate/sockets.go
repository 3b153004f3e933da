//go:build ignore

// Sockets of package net on the loopback: calls that complete at once, and the one that says EAGAIN.
package main

import (
	"net"
	"os"
	"syscall"
	"time"
)

func main() {
	procs(1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	die(err)
	near, far := connect(l)
	message := make([]byte, 64)
	buffer := make([]byte, 4096)
	var writes, reads []float64
	for range 300 {
		var write, read float64
		for range 100 {
			write += timed(func() { must(near.Write(message)) })
			read += timed(func() { must(far.Read(buffer)) })
		}
		writes = append(writes, write/100)
		reads = append(reads, read/100)
	}
	report("socket_write_64", writes)
	report("socket_read_64", reads)
	raw, err := far.(*net.TCPConn).SyscallConn()
	die(err)
	perOp("socket_read_eagain", 300, 100, func(n int) {
		for i := 0; i < n; i++ {
			raw.Read(func(fd uintptr) bool { syscall.Read(int(fd), buffer); return true })
		}
	})
	var dials, accepts, closes, deadlines []float64
	for range 100 {
		var c, s net.Conn
		dials = append(dials, timed(func() { c, err = net.Dial("tcp", l.Addr().String()); die(err) }))
		accepts = append(accepts, timed(func() { s, err = l.Accept(); die(err) }))
		soon := time.Now().Add(time.Hour)
		deadlines = append(deadlines, timed(func() { s.SetReadDeadline(soon) }))
		closes = append(closes, timed(func() { s.Close() }))
		c.Close()
	}
	report("socket_dial", dials)
	report("socket_accept", accepts)
	report("socket_close", closes)
	report("socket_set_deadline", deadlines)
	r, w, err := os.Pipe()
	die(err)
	perOp("pipe_write_read_64", 300, 100, func(n int) {
		for i := 0; i < n; i++ {
			w.Write(message)
			r.Read(buffer)
		}
	})
}

func connect(l net.Listener) (net.Conn, net.Conn) {
	near, err := net.Dial("tcp", l.Addr().String())
	die(err)
	far, err := l.Accept()
	die(err)
	return near, far
}

func must(_ int, err error) { die(err) }
