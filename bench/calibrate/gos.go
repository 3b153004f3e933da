//go:build ignore

// Goroutines on one P: start, exit, yields, bare park and ready, defer and panic, semaphores and mutexes.
package main

import (
	"runtime"
	"sync"
	_ "unsafe"
)

//go:linkname semacquire sync.runtime_Semacquire
func semacquire(addr *uint32)

//go:linkname semrelease sync.runtime_Semrelease
func semrelease(addr *uint32, handoff bool, skipframes int)

const batch = 200

func main() {
	procs(1)
	starts()
	yields()
	parks()
	defers()
	semaphores()
	mutexes()
}

func empty() {}

func starts() {
	var gos, ends, overflow, args []float64
	for range 4000 {
		gos = append(gos, timed(func() {
			for i := 0; i < batch; i++ {
				go empty()
			}
		})/batch-loopCost)
		ends = append(ends, timed(goyield)/batch)
	}
	report("go_statement", gos)
	report("ring_schedule_start_exit", ends)
	for range 1000 {
		args = append(args, timed(func() {
			for i := 0; i < batch; i++ {
				go keep(i)
			}
		})/batch-loopCost)
		goyield()
	}
	report("go_statement_closure", args)
	for range 1000 {
		overflow = append(overflow, timed(func() {
			for i := 0; i < 10000; i++ {
				go empty()
			}
		})/10000-loopCost)
		runtime.Gosched()
		for runtime.NumGoroutine() > 1 {
			runtime.Gosched()
		}
	}
	report("go_statement_ring_overflowing", overflow)
	var cold []float64
	block := make(chan bool)
	for range 200 {
		cold = append(cold, timed(func() {
			for i := 0; i < batch; i++ {
				go func() { <-block }()
			}
		})/batch-loopCost)
		goyield()
	}
	report("go_statement_new_g", cold)
	close(block)
	goyield()
}

func yields() {
	perOp("gosched_alone", 300, 5000, func(n int) {
		for i := 0; i < n; i++ {
			runtime.Gosched()
		}
	})
	perOp("goyield_alone", 300, 5000, func(n int) {
		for i := 0; i < n; i++ {
			goyield()
		}
	})
	stop := false
	for range 9 {
		go func() {
			for !stop {
				runtime.Gosched()
			}
		}()
	}
	perOp("gosched_ring_of_10_per_round", 300, 500, func(n int) {
		for i := 0; i < n; i++ {
			runtime.Gosched()
		}
	})
	stop = true
	runtime.Gosched()
	runtime.Gosched()
}

// parks: the semaphore of one waiter each is the thinnest public wrapper of gopark and goready.
func parks() {
	sems := make([]uint32, batch)
	stop := false
	for i := range sems {
		go func() {
			for !stop {
				semacquire(&sems[i])
			}
		}()
	}
	goyield()
	var wake, rest []float64
	for range 4000 {
		wake = append(wake, timed(func() {
			for i := range sems {
				semrelease(&sems[i], false, 0)
			}
		})/batch-loopCost)
		rest = append(rest, timed(goyield)/batch)
	}
	report("semrelease_with_waiter", wake)
	report("ring_schedule_resume_semacquire_park", rest)
	stop = true
	for i := range sems {
		semrelease(&sems[i], false, 0)
	}
	goyield()
}

//go:noinline
func openDefer() {
	defer empty()
}

//go:noinline
func heapDefer(n int) {
	for i := 0; i < n; i++ {
		defer empty()
	}
}

//go:noinline
func panicRecover() {
	defer func() { _ = recover() }()
	panic(1)
}

//go:noinline
func goexitRecover(done chan bool) {
	defer func() { done <- true }()
	runtime.Goexit()
}

func defers() {
	perOp("call", 300, 10000, func(n int) {
		for i := 0; i < n; i++ {
			empty()
			keep(i)
		}
	})
	perOp("defer_return_open_coded", 300, 10000, func(n int) {
		for i := 0; i < n; i++ {
			openDefer()
		}
	})
	perOp("defer_return_heap", 300, 1000, func(n int) { heapDefer(n) })
	perOp("panic_recover", 300, 2000, func(n int) {
		for i := 0; i < n; i++ {
			panicRecover()
		}
	})
	done := make(chan bool)
	perOp("go_goexit_with_defer", 300, 1000, func(n int) {
		for i := 0; i < n; i++ {
			go goexitRecover(done)
			<-done
		}
	})
}

func semaphores() {
	var s uint32
	perOp("semrelease_semacquire_uncontended", 300, 5000, func(n int) {
		for i := 0; i < n; i++ {
			semrelease(&s, false, 0)
			semacquire(&s)
		}
	})
	var a, b uint32
	go func() {
		for {
			semacquire(&a)
			semrelease(&b, false, 0)
		}
	}()
	perOp("sema_round_trip", 300, 5000, func(n int) {
		for i := 0; i < n; i++ {
			semrelease(&a, false, 0)
			semacquire(&b)
		}
	})
	var h uint32
	stop := false
	go func() {
		for !stop {
			semacquire(&h)
		}
	}()
	runtime.Gosched()
	perOp("semrelease_handoff_round_trip", 300, 5000, func(n int) {
		for i := 0; i < n; i++ {
			semrelease(&h, true, 0)
		}
	})
	stop = true
	semrelease(&h, true, 0)
}

func mutexes() {
	var mu sync.Mutex
	perOp("mutex_lock_unlock", 300, 10000, func(n int) {
		for i := 0; i < n; i++ {
			mu.Lock()
			mu.Unlock()
		}
	})
	var rw sync.RWMutex
	perOp("rwmutex_rlock_runlock", 300, 10000, func(n int) {
		for i := 0; i < n; i++ {
			rw.RLock()
			rw.RUnlock()
		}
	})
	perOp("rwmutex_lock_unlock", 300, 10000, func(n int) {
		for i := 0; i < n; i++ {
			rw.Lock()
			rw.Unlock()
		}
	})
	var wg sync.WaitGroup
	perOp("waitgroup_add_done", 300, 10000, func(n int) {
		for i := 0; i < n; i++ {
			wg.Add(1)
			wg.Done()
		}
	})
	var once sync.Once
	perOp("once_done", 300, 10000, func(n int) {
		for i := 0; i < n; i++ {
			once.Do(empty)
			keep(i)
		}
	})
	// Both goroutines yield inside the lock, so that every Lock finds it held: one slow lock and one slow unlock an item.
	stop := false
	go func() {
		for !stop {
			mu.Lock()
			runtime.Gosched()
			mu.Unlock()
			runtime.Gosched()
		}
	}()
	perOp("mutex_contended_with_2_goscheds", 300, 2000, func(n int) {
		for i := 0; i < n; i++ {
			mu.Lock()
			runtime.Gosched()
			mu.Unlock()
			runtime.Gosched()
		}
	})
	stop = true
}
