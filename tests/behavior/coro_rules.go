package main

import (
	"fmt"
	"iter"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

//o runs 5
// What iter.Pull allows and what it does not; threads and coroutines, each in a process of its own.

func simple(yield func(int) bool) {
	for range 3 {
		if !yield(5) {
			return
		}
	}
}

func nested(yield func(int) bool) {
	next, stop := iter.Pull(simple)
	defer stop()
	for v, ok := next(); ok; v, ok = next() {
		if !yield(v) {
			return
		}
	}
}

func locks(yield func(int) bool) {
	for range 3 {
		runtime.LockOSThread()
		runtime.UnlockOSThread()
		if !yield(5) {
			return
		}
	}
}

func locksAround(yield func(int) bool) {
	runtime.LockOSThread()
	yield(5)
	runtime.UnlockOSThread()
}

func fromAnother(yield func(int) bool) {
	done := make(chan bool)
	go func() { done <- yield(5) }()
	<-done
}

func exhaust(seq iter.Seq[int]) {
	next, _ := iter.Pull(seq)
	sum := 0
	for v, ok := next(); ok; v, ok = next() {
		sum += v
	}
	println("sum", sum)
}

func locked(f func(iter.Seq[int])) func(iter.Seq[int]) {
	return func(seq iter.Seq[int]) {
		runtime.LockOSThread()
		f(seq)
		runtime.UnlockOSThread()
	}
}

func lockAfterPull(seq iter.Seq[int]) {
	next, _ := iter.Pull(seq)
	runtime.LockOSThread()
	println(next())
}

func stopEarly(seq iter.Seq[int]) {
	next, stop := iter.Pull(seq)
	println(next())
	stop()
	println(next())
}

func inAnotherGoroutine(seq iter.Seq[int]) {
	next, stop := iter.Pull(seq)
	defer stop()
	println(next())
	done := make(chan bool)
	go func() { println(next()); done <- true }()
	<-done
	println(next())
}

var threads = []struct {
	name   string
	caller func(iter.Seq[int])
	seq    iter.Seq[int]
}{
	{"lock and unlock in the iterator", exhaust, locks},
	{"locked over a yield", exhaust, locksAround},
	{"locked caller", locked(exhaust), simple},
	{"locked caller, nested", locked(exhaust), nested},
	{"locked caller, locks deeper", locked(exhaust), locks},
	{"locked caller, locked deeper over a yield", locked(exhaust), locksAround},
	{"locked caller, yield in another goroutine", locked(exhaust), fromAnother},
	{"lock after pull", lockAfterPull, simple},
	{"locked caller stops", locked(stopEarly), simple},
	{"locked caller stops, nested", locked(stopEarly), nested},
	{"yield in another goroutine", stopEarly, fromAnother},
	{"next in another goroutine", inAnotherGoroutine, simple},
	{"next in another goroutine, locked", locked(inAnotherGoroutine), simple},
}

func try(name string, f func()) {
	defer func() {
		if r := recover(); r != nil {
			fmt.Println(name, "| panic:", r)
		}
	}()
	f()
	fmt.Println(name, "| ok", runtime.NumGoroutine())
}

func rules() {
	try("next in the iterator", func() {
		var next func() (int, bool)
		next, _ = iter.Pull(func(yield func(int) bool) { next() })
		next()
	})
	try("yield out of turn", func() {
		var kept func(int) bool
		next, stop := iter.Pull(func(yield func(int) bool) { kept = yield; yield(1) })
		defer stop()
		next()
		kept(2)
	})
	try("yield after the end", func() {
		var kept func(int) bool
		next, _ := iter.Pull(func(yield func(int) bool) { kept = yield })
		next()
		fmt.Println(kept(1))
	})
	try("panic, then next and stop", func() {
		next, stop := iter.Pull(func(yield func(int) bool) { panic("boom") })
		func() {
			defer func() { fmt.Println("recovered", recover()) }()
			next()
		}()
		fmt.Println(next())
		stop()
	})
	try("panic at stop", func() {
		next, stop := iter.Pull(func(yield func(int) bool) {
			for yield(55) {
			}
			panic("at the end")
		})
		fmt.Println(next())
		stop()
	})
	try("stop before next", func() {
		ran := false
		next, stop := iter.Pull(func(yield func(int) bool) { ran = true })
		stop()
		stop()
		fmt.Println(next())
		fmt.Println(ran)
	})
	try("deaf iterator", func() {
		heard := []bool{}
		next, stop := iter.Pull(func(yield func(int) bool) {
			for i := range 3 {
				heard = append(heard, yield(i))
			}
		})
		fmt.Println(next())
		stop()
		fmt.Println(heard)
	})
	try("goexit", func() {
		done := make(chan string)
		go func() {
			defer func() { done <- fmt.Sprint("deferred ", recover()) }()
			next, _ := iter.Pull(func(yield func(int) bool) { runtime.Goexit() })
			next()
			done <- "not reached"
		}()
		fmt.Println(<-done)
		runtime.Gosched()
	})
	try("pairs", func() {
		next, stop := iter.Pull2(func(yield func(string, int) bool) {
			_ = yield("a", 1) && yield("b", 2)
		})
		defer stop()
		fmt.Println(next())
		fmt.Println(next())
		fmt.Println(next())
	})
	try("pairs: next in the iterator", func() {
		var next func() (int, int, bool)
		next, _ = iter.Pull2(func(yield func(int, int) bool) { next() })
		next()
	})
}

func main() {
	if len(os.Args) > 1 {
		var i int
		fmt.Sscan(os.Args[1], &i)
		threads[i].caller(threads[i].seq)
		return
	}
	rules()
	for i, t := range threads {
		cmd := exec.Command("/proc/self/exe", fmt.Sprint(i))
		cmd.Env = append(os.Environ(), "GOTRACEBACK=none")
		b, err := cmd.CombinedOutput()
		var kept []string
		for _, line := range strings.Split(strings.TrimRight(string(b), "\n"), "\n") {
			if line == "" {
				break
			}
			kept = append(kept, line)
		}
		fmt.Printf("== %s -> %v\n%s\n", t.name, err, strings.Join(kept, "\n"))
	}
}
