//go:build ignore

// Threads: wake-up and creation latency, stealing, stopping the world. Needs two CPUs.
package main

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"
)

type worldStop struct {
	reason                                             uint8
	startedStopping, finishedStopping, stoppingCPUTime int64
}

//go:linkname stopTheWorld runtime.stopTheWorld
func stopTheWorld(reason uint8) worldStop

//go:linkname startTheWorld runtime.startTheWorld
func startTheWorld(w worldStop)

//go:linkname allp runtime.allp
var allp []unsafe.Pointer

//go:linkname runqsteal runtime.runqsteal
func runqsteal(pp, victim unsafe.Pointer, runnext bool) unsafe.Pointer

//go:linkname runqput runtime.runqput
func runqput(pp, gp unsafe.Pointer, next bool)

//go:linkname procPin runtime.procPin
func procPin() int

//go:linkname procUnpin runtime.procUnpin
func procUnpin()

//go:linkname stealWork runtime.stealWork
func stealWork(now int64) (gp unsafe.Pointer, inherit bool, rnow, until int64, work bool)

//go:linkname procyield runtime.procyield
func procyield(n uint32)

//go:linkname osyield runtime.osyield
func osyield()

func main() {
	futex()
	perOp("procyield_30", 300, 1000, func(n int) {
		for i := 0; i < n; i++ {
			procyield(30)
		}
	})
	perOp("osyield", 300, 1000, func(n int) {
		for i := 0; i < n; i++ {
			osyield()
		}
	})
	wakeups()
	steals()
	world()
	newThreads()
}

func sysFutex(word *uint32, op, val uintptr) {
	_, _, _ = syscall.Syscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(word)), op, val, 0, 0, 0)
}

// futex: a bare wait and wake between two threads. A third, idle P keeps sysmon from retaking the sleeper's.
func futex() {
	procs(3)
	var word uint32
	var woken atomic.Int64
	var asleep, quit, gone atomic.Bool
	go func() {
		runtime.LockOSThread()
		asleep.Store(true)
		for {
			sysFutex(&word, 128, 0)
			if quit.Load() {
				gone.Store(true)
				return
			}
			if atomic.LoadUint32(&word) == 0 {
				continue // a preemption signal interrupted the wait
			}
			woken.Store(nanotime())
			for atomic.LoadUint32(&word) == 1 {
			}
			asleep.Store(true)
		}
	}()
	var call, latency, nobody []float64
	for range 2000 {
		for !asleep.Load() {
		}
		idle(200000)
		asleep.Store(false)
		woken.Store(0)
		start := nanotime()
		atomic.StoreUint32(&word, 1)
		sysFutex(&word, 129, 1)
		returned := nanotime()
		for woken.Load() == 0 {
		}
		atomic.StoreUint32(&word, 0)
		call = append(call, float64(returned-start)-clockCost)
		latency = append(latency, float64(woken.Load()-start)-clockCost)
	}
	quit.Store(true)
	for !gone.Load() {
		sysFutex(&word, 129, 1)
		idle(10000)
	}
	report("futex_wake_call", call)
	report("futex_wake_latency", latency)
	var other uint32
	for range 2000 {
		nobody = append(nobody, timed(func() { sysFutex(&other, 129, 1) }))
	}
	report("futex_wake_nobody", nobody)
}

// wakeups: from the go statement on a busy P until the goroutine starts on the other one.
func wakeups() {
	procs(2)
	var began atomic.Int64
	f := func() { began.Store(nanotime()) }
	g := func() {}
	for _, ring := range []bool{true, false} {
		var latency, call []float64
		for range 2000 {
			idle(300000)
			began.Store(0)
			start := nanotime()
			go f()
			called := nanotime()
			if ring {
				go g() // kicks f out of runnext into the ring
			}
			for began.Load() == 0 {
			}
			call = append(call, float64(called-start)-clockCost)
			latency = append(latency, float64(began.Load()-start)-clockCost)
		}
		if ring {
			report("go_with_wakep_call", call)
			report("wake_idle_m_to_run_ring", latency)
		} else {
			report("wake_idle_m_to_run_runnext", latency)
		}
	}
}

// steals: the thief's own cost, the victim being busy with something else.
func steals() {
	procs(2)
	var order, left atomic.Int64
	var release atomic.Bool
	g := func() { left.Add(-1) }
	go func() {
		for {
			n := order.Load()
			if n == 0 {
				continue
			}
			if n < 0 {
				return
			}
			left.Store(n)
			for range n {
				go g()
			}
			order.Store(0)
			for !release.Load() {
			}
			for left.Load() > 0 {
				runtime.Gosched()
			}
			release.Store(false)
		}
	}()
	idle(1000000)
	empty := make([]float64, 0, 2000)
	for range 2000 {
		me := allp[procPin()]
		start := nanotime()
		gp, _, _, _, _ := stealWork(0)
		took := float64(nanotime()-start) - clockCost
		if gp != nil {
			runqput(me, gp, false)
		} else {
			empty = append(empty, took)
		}
		procUnpin()
	}
	report("steal_nothing_4_passes_1_victim", empty)
	for _, n := range []int64{2, 17, 129, 200} {
		var samples []float64
		for range 500 {
			order.Store(n)
			for order.Load() != 0 {
			}
			id := procPin()
			me, victim := allp[id], allp[1-id]
			start := nanotime()
			gp := runqsteal(me, victim, false)
			took := float64(nanotime()-start) - clockCost
			if gp != nil {
				runqput(me, gp, false)
				samples = append(samples, took)
			}
			procUnpin()
			release.Store(true)
			for left.Load() > 0 || release.Load() {
				runtime.Gosched()
			}
		}
		report(fmt.Sprintf("steal_half_of_%d", n-1), samples)
	}
	order.Store(-1)
}

// world: stop and start with n Ps, the others idle or running a loop with safepoints or none.
func world() {
	for _, n := range []int{1, 2, 4} {
		for _, busy := range []bool{false, true} {
			if busy && n != 2 {
				continue // two CPUs: one loops, one stops it
			}
			procs(n)
			var quit atomic.Bool
			if busy {
				go func() {
					for !quit.Load() {
						keep(1)
					}
				}()
			}
			idle(2000000)
			var stop, start []float64
			for range 500 {
				idle(100000)
				t0 := nanotime()
				w := stopTheWorld(0)
				t1 := nanotime()
				startTheWorld(w)
				t2 := nanotime()
				stop = append(stop, float64(t1-t0)-clockCost)
				start = append(start, float64(t2-t1)-clockCost)
			}
			quit.Store(true)
			kind := "idle"
			if busy {
				kind = "busy"
			}
			report(fmt.Sprintf("stop_world_%dp_%s", n, kind), stop)
			report(fmt.Sprintf("start_world_%dp_%s", n, kind), start)
			idle(1000000)
		}
	}
	for _, pair := range [][2]int{{1, 2}, {2, 4}} {
		var samples []float64
		for range 500 {
			idle(50000)
			samples = append(samples, timed(func() { procs(pair[0]); procs(pair[1]) })/2)
		}
		report(fmt.Sprintf("gomaxprocs_change_%d_%d", pair[0], pair[1]), samples)
	}
	procs(1)
	perOp("gomaxprocs_query", 100, 1000, func(n int) {
		for i := 0; i < n; i++ {
			runtime.GOMAXPROCS(0)
		}
	})
	var stats runtime.MemStats
	perOp("read_mem_stats_1p", 100, 20, func(n int) {
		for i := 0; i < n; i++ {
			runtime.ReadMemStats(&stats)
		}
	})
}

// newThreads: a goroutine that ends while locked takes its thread along; its P has work waiting elsewhere and needs
// another M, and there is no idle one. Measured from that goroutine's last statement to the first of the next.
func newThreads() {
	procs(2)
	seen := map[int]bool{}
	var thread int
	var ended, began, left atomic.Int64
	last := func() {
		runtime.LockOSThread()
		ended.Store(nanotime())
	}
	next := func() {
		began.Store(nanotime())
		thread = syscall.Gettid()
		left.Add(-1)
	}
	other := func() { left.Add(-1) }
	var latency []float64
	for range 200 {
		idle(1000000)
		left.Store(2)
		began.Store(0)
		ended.Store(0)
		go last()
		go next()
		go other()
		for left.Load() > 0 {
		}
		if !seen[thread] && began.Load() > ended.Load() && ended.Load() > 0 {
			latency = append(latency, float64(began.Load()-ended.Load())-clockCost)
		}
		seen[thread] = true
	}
	report("newm_to_run", latency)
}
