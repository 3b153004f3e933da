package synctestoracle

import (
	"fmt"
	"iter"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Recorded on one P; instants differ, so the order of everything is fixed.

func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := time.Now()
		say := func(what string) { fmt.Println(time.Since(s), what) }
		c := make(chan string)
		for i := 1; i <= 3; i++ {
			go func() {
				time.Sleep(time.Duration(i) * time.Second)
				say(fmt.Sprint("worker ", i))
				c <- fmt.Sprint("from ", i)
			}()
		}
		time.AfterFunc(1500*time.Millisecond, func() {
			say("after func")
			go say("its goroutine")
			runtime.Gosched()
			say("after func again")
		})
		synctest.Wait()
		say("all are asleep")
		for range 3 {
			say(<-c)
		}
		time.Sleep(0)
		time.Sleep(-1)
		say("no sleep")
		synctest.Wait()
		say("end")
	})
}

func TestTimers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := time.Now()
		tm := time.NewTimer(2 * time.Second)
		fmt.Println("stop", tm.Stop(), tm.Stop())
		fmt.Println("reset", tm.Reset(time.Second), tm.Reset(3*time.Second))
		time.Sleep(4 * time.Second)
		fmt.Println("reset of one that is due, not received", tm.Reset(time.Second))
		fmt.Println((<-tm.C).Sub(s), time.Since(s))
		fmt.Println("stop of one that was received", tm.Stop())
		now := time.NewTimer(0)
		select {
		case v := <-now.C:
			fmt.Println("zero timer at once", v.Sub(s))
		default:
			fmt.Println("zero timer not yet")
		}
		n := 0
		f := time.AfterFunc(0, func() { n++ })
		fmt.Println("started, not run", n)
		runtime.Gosched()
		fmt.Println("run", n, f.Stop())
		f.Reset(time.Second)
		fmt.Println("stopped", f.Stop(), f.Stop())
		f.Reset(-time.Second)
		synctest.Wait()
		fmt.Println("run again", n)
		tick := time.NewTicker(time.Second)
		for range 2 {
			fmt.Println("tick", (<-tick.C).Sub(s))
		}
		time.Sleep(2500 * time.Millisecond)
		fmt.Println("late tick", (<-tick.C).Sub(s), time.Since(s))
		tick.Reset(10 * time.Second)
		fmt.Println("next tick", (<-tick.C).Sub(s))
		tick.Stop()
		select {
		case <-tick.C:
			fmt.Println("tick after stop")
		case <-time.After(time.Minute):
			fmt.Println("no tick for a minute", time.Since(s))
		}
	})
}

func TestWaiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := time.Now()
		say := func(what string) { fmt.Println(time.Since(s), what) }
		var mu sync.Mutex
		cond := sync.NewCond(&mu)
		for i := range 3 {
			go func() {
				mu.Lock()
				cond.Wait()
				mu.Unlock()
				say(fmt.Sprint("waiter ", i))
			}()
		}
		synctest.Wait()
		cond.Signal()
		say("signalled")
		synctest.Wait()
		cond.Broadcast()
		say("broadcast")
		synctest.Wait()
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() {
				time.Sleep(time.Duration(3-i) * time.Second)
				say(fmt.Sprint("task ", i))
			})
		}
		go func() {
			wg.Wait()
			say("the other waits as well")
		}()
		wg.Wait()
		say("tasks are done")
		synctest.Wait()
		next, stop := iter.Pull(func(yield func(int) bool) {
			for i := 0; yield(i); i++ {
				time.Sleep(time.Second)
			}
		})
		for range 3 {
			v, ok := next()
			say(fmt.Sprint(v, ok))
		}
		stop()
		say("end")
	})
}

func TestMainHasExited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := make(chan int)
		go func() {
			fmt.Println("one runs on", <-c)
			c <- 2
		}()
		go func() {
			c <- 1
			fmt.Println("the other too", <-c)
		}()
		time.AfterFunc(0, func() { fmt.Println("a timer that is due") })
	})
	fmt.Println("all have ended")
}

func TestSleeperIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		go time.Sleep(time.Second)
	})
}

func TestPanicInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		go func() { panic("boom") }()
		synctest.Wait()
	})
}

func TestReasons(t *testing.T) {
	out := make(chan int)
	synctest.Test(t, func(t *testing.T) {
		own := make(chan int)
		go func() { select {} }()
		go func() { var c chan int; c <- 1 }()
		go func() { own <- 1 }()
		go func() {
			select {
			case <-own:
			case <-time.After(time.Hour):
			}
		}()
		go func() {
			next, _ := iter.Pull(func(yield func(int) bool) { yield(1); own <- 1 })
			next()
			next()
		}()
		runtime.Gosched()
		go func() {
			select {
			case <-make(chan int):
			case <-out:
			}
		}()
		go func() { out <- 1 }()
		go func() {
			var mu sync.RWMutex
			mu.RLock()
			mu.Lock()
		}()
		for range 100 {
			runtime.Gosched()
		}
		panic("dump")
	})
}

func TestCloseOutside(t *testing.T) {
	var c chan int
	synctest.Test(t, func(t *testing.T) { c = make(chan int) })
	close(c)
}

func TestReceiveInAnother(t *testing.T) {
	var c chan int
	synctest.Test(t, func(t *testing.T) { c = make(chan int, 1); c <- 1 })
	synctest.Test(t, func(t *testing.T) { <-c })
}

func TestSelectOutside(t *testing.T) {
	var c chan int
	synctest.Test(t, func(t *testing.T) { c = make(chan int, 1) })
	select {
	case <-c:
	case <-make(chan int):
	}
}

func TestStopOutside(t *testing.T) {
	var tm *time.Timer
	synctest.Test(t, func(t *testing.T) { tm = time.NewTimer(time.Second) })
	tm.Stop()
}

func TestResetOutside(t *testing.T) {
	var tm *time.Timer
	synctest.Test(t, func(t *testing.T) { tm = time.AfterFunc(time.Second, func() {}) })
	tm.Reset(time.Second)
}

func TestAddOutside(t *testing.T) {
	wg := new(sync.WaitGroup)
	synctest.Test(t, func(t *testing.T) { wg.Add(1) })
	wg.Add(1)
}

func TestAddInTwo(t *testing.T) {
	wg := new(sync.WaitGroup)
	synctest.Test(t, func(t *testing.T) { wg.Add(1) })
	synctest.Test(t, func(t *testing.T) { wg.Add(1) })
}

func TestSignalOutside(t *testing.T) {
	var mu sync.Mutex
	cond := sync.NewCond(&mu)
	go func() {
		time.Sleep(time.Millisecond)
		cond.Signal()
	}()
	synctest.Test(t, func(t *testing.T) {
		go func() {
			mu.Lock()
			cond.Wait()
		}()
		for {
			runtime.Gosched()
		}
	})
}

func TestWaitTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		go synctest.Wait()
		synctest.Wait()
	})
}

func TestWaitOutside(t *testing.T) {
	synctest.Wait()
}
