//go:build ignore

// Clock, timers, sleeps and the operating system's waits.
package main

import (
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

//go:linkname usleep runtime.usleep
func usleep(us uint32)

type gList struct {
	head uintptr
	size int32
}

//go:linkname netpoll runtime.netpoll
func netpoll(delay int64) (gList, int32)

const batch = 200

func main() {
	procs(1)
	perOp("nanotime", 300, 5000, func(n int) {
		for i := 0; i < n; i++ {
			nanotime()
		}
	})
	perOp("time_now", 300, 5000, func(n int) {
		for i := 0; i < n; i++ {
			now = time.Now()
		}
	})
	time.Sleep(time.Millisecond) // starts the poller
	timers()
	firing()
	perOp("netpoll_0", 300, 1000, func(n int) {
		for i := 0; i < n; i++ {
			netpoll(0)
		}
	})
	lateness()
}

var now time.Time

func timers() {
	ts := make([]*time.Timer, 1000)
	measure := func(name string, rounds int, f, after func()) {
		var samples []float64
		for range rounds {
			samples = append(samples, timed(f)/float64(len(ts))-loopCost)
			after()
		}
		report(name, samples)
	}
	start := func() {
		for i := range ts {
			ts[i] = time.AfterFunc(time.Hour+time.Duration(i), empty)
		}
	}
	stop := func() {
		for _, t := range ts {
			t.Stop()
		}
	}
	drain := func() { runtime.Gosched(); goyield() }
	nothing := func() {}
	measure("afterfunc_create_first_1000", 300, start, func() { stop(); drain() })
	start()
	measure("timer_stop_and_reset", 300, func() {
		for _, t := range ts {
			t.Stop()
			t.Reset(time.Hour)
		}
	}, nothing)
	measure("timer_reset_later", 300, func() {
		for _, t := range ts {
			t.Reset(2 * time.Hour)
		}
	}, nothing)
	measure("timer_reset_alternating", 300, func() {
		for i, t := range ts {
			t.Reset(time.Duration(1+i%2) * time.Hour)
		}
	}, nothing)
	stop()
	drain()
	measure("timer_stop", 300, stop, func() { drain(); start() })
	stop()
	drain()
	measure("newtimer_channel_create", 300, func() {
		for i := range ts {
			ts[i] = time.NewTimer(time.Hour)
		}
	}, nothing)
	measure("channel_timer_stop", 300, stop, nothing)
	measure("channel_timer_reset", 300, func() {
		for _, t := range ts {
			t.Reset(time.Hour)
		}
	}, nothing)
}

func empty() {}

// firing: N timers that are due at once, run by the next findRunnable.
func firing() {
	var afterFunc, sleepStart, sleepers []float64
	for range 2000 {
		for i := 0; i < batch; i++ {
			time.AfterFunc(time.Duration(1+i), empty)
		}
		idle(20000)
		afterFunc = append(afterFunc, timed(goyield)/batch)
	}
	report("afterfunc_fire_start_exit", afterFunc)
	stop := false
	done := 0
	for range batch {
		go func() {
			for !stop {
				time.Sleep(50 * time.Microsecond)
			}
			done++
		}()
	}
	goyield()
	for range 2000 {
		idle(200000)
		sleepers = append(sleepers, timed(goyield)/batch)
	}
	report("sleep_fire_resume_sleep_again", sleepers)
	stop = true
	for done < batch {
		time.Sleep(time.Millisecond)
	}
	for range 500 {
		for i := 0; i < batch; i++ {
			go time.Sleep(100 * time.Microsecond)
		}
		sleepStart = append(sleepStart, timed(goyield)/batch)
		time.Sleep(3 * time.Millisecond)
	}
	report("start_and_sleep_park", sleepStart)
}

// lateness: how much longer than asked each kind of wait takes.
func lateness() {
	late := func(name string, n int, want int64, f func()) {
		var samples []float64
		for range n {
			idle(20000)
			samples = append(samples, timed(f)-float64(want))
		}
		report(name, samples)
	}
	late("late_usleep_20us", 2000, 20000, func() { usleep(20) })
	late("late_usleep_3us", 2000, 3000, func() { usleep(3) })
	late("late_usleep_100us", 1000, 100000, func() { usleep(100) })
	late("late_usleep_10ms", 100, 10000000, func() { usleep(10000) })
	ep, err := syscall.EpollCreate1(0)
	die(err)
	events := make([]syscall.EpollEvent, 1)
	late("late_epoll_wait_1ms", 300, 1000000, func() { _, _ = syscall.EpollWait(ep, events, 1) })
	late("late_epoll_wait_5ms", 100, 5000000, func() { _, _ = syscall.EpollWait(ep, events, 5) })
	var word uint32
	for _, us := range []int64{100, 1000} {
		ts := syscall.NsecToTimespec(us * 1000)
		late("late_futex_wait_"+time.Duration(us*1000).String(), 300, us*1000, func() {
			_, _, _ = syscall.RawSyscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(&word)), 128, 0, uintptr(unsafe.Pointer(&ts)), 0, 0)
		})
	}
	for _, d := range []time.Duration{50 * time.Microsecond, time.Millisecond, 1500 * time.Microsecond, 10 * time.Millisecond} {
		late("late_sleep_"+d.String(), 200, int64(d), func() { time.Sleep(d) })
	}
}
