package main

// The goroutine of os/signal in a dump: it is the program's own, in a system call.

import (
	"os"
	"os/signal"
	"time"
)

//o env GOMAXPROCS=1 GOTRACEBACK=all
//o runs 10
func main() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt)
	go func() { select {} }()
	time.AfterFunc(50*time.Millisecond, func() { panic("enough") })
	<-c
}
