package main

// os/signal: who gets a signal, what is dropped, what Stop, Ignore and Reset leave behind, and dying of one.

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

//o runs 10

func send(s syscall.Signal) {
	syscall.Kill(syscall.Getpid(), s)
}

func get(c chan os.Signal) any {
	select {
	case s := <-c:
		return s
	case <-time.After(300 * time.Millisecond):
		return "nothing"
	}
}

func main() {
	a, b := make(chan os.Signal, 1), make(chan os.Signal, 4)

	fmt.Println("goroutines", runtime.NumGoroutine())
	signal.Notify(a, syscall.SIGUSR1)
	fmt.Println("goroutines", runtime.NumGoroutine())
	signal.Notify(b, syscall.SIGUSR1, os.Interrupt)
	signal.Notify(b, syscall.SIGUSR2)
	fmt.Println("goroutines", runtime.NumGoroutine())

	send(syscall.SIGUSR1)
	fmt.Println("both:", get(a), "and", get(b))
	send(syscall.SIGUSR2)
	fmt.Println("one:", get(b), "and", get(a))
	send(syscall.SIGINT)
	fmt.Println("interrupt:", get(b))

	send(syscall.SIGUSR1)
	fmt.Println("first:", get(b))
	send(syscall.SIGUSR1)
	fmt.Println("second:", get(b))
	fmt.Println("dropped without room:", get(a), "then", get(a))

	signal.Stop(a)
	send(syscall.SIGUSR1)
	fmt.Println("stopped:", get(b), "and", get(a))
	signal.Stop(b)
	signal.Stop(b)
	send(syscall.SIGUSR1)
	fmt.Println("nobody:", get(b), "and", get(a))

	signal.Notify(a, syscall.SIGUSR2)
	fmt.Println("ignored", signal.Ignored(syscall.SIGUSR2))
	signal.Ignore(syscall.SIGUSR2)
	fmt.Println("ignored", signal.Ignored(syscall.SIGUSR2))
	send(syscall.SIGUSR2)
	fmt.Println("ignored:", get(a))
	signal.Reset(syscall.SIGUSR2)
	fmt.Println("reset", signal.Ignored(syscall.SIGUSR2))
	signal.Notify(a, syscall.SIGUSR2)
	fmt.Println("notify", signal.Ignored(syscall.SIGUSR2))
	send(syscall.SIGUSR2)
	fmt.Println("again:", get(a))
	signal.Reset()
	send(syscall.SIGUSR2)
	fmt.Println("reset:", get(a))

	signal.Notify(a, os.Kill, syscall.SIGSEGV, syscall.Signal(33))
	fmt.Println("uncatchable", signal.Ignored(os.Kill))
	signal.Ignore(os.Kill)
	fmt.Println("uncatchable", signal.Ignored(os.Kill))

	func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		signal.Notify(nil, os.Interrupt)
	}()

	signal.Notify(a)
	for _, s := range []syscall.Signal{1, 3, 6, 13, 14, 15, 17, 18, 23, 28, 40} {
		send(s)
		fmt.Println(int(s), get(a))
	}
	closed := make(chan os.Signal)
	signal.Stop(closed)
	signal.Reset()
	fmt.Println("to be killed")
	send(syscall.SIGTERM)
	time.Sleep(time.Second)
}
