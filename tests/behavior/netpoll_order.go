package main

import (
	"fmt"
	"net"
	"time"
)

//o runs 20
//o env GOMAXPROCS=1

// Five goroutines wait for I/O; data comes for 0 to 4 in turn. The poller's list is a stack: 4 runs first, the others follow.
func main() {
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	var near, far [5]net.Conn
	for i := range near {
		near[i], _ = net.Dial("tcp", l.Addr().String())
		far[i], _ = l.Accept()
	}
	done := make(chan int, 5)
	for round := 0; round < 2; round++ {
		for i := range far {
			go func() {
				b := make([]byte, 10)
				far[i].Read(b)
				fmt.Println("read", i)
				done <- i
			}()
		}
		time.Sleep(2 * time.Millisecond)
		for i := range near {
			near[i].Write([]byte("x"))
		}
		for range near {
			<-done
		}
	}
	// A closed connection's reader goes into runnext, at once.
	for i := range far {
		go func() {
			_, err := far[i].Read(make([]byte, 1))
			fmt.Println("closed", i, err != nil)
			done <- i
		}()
	}
	time.Sleep(2 * time.Millisecond)
	for i := range far {
		far[i].Close()
	}
	for range far {
		<-done
	}
}
