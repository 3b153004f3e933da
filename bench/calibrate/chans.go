//go:build ignore

// Channels and select on one P.
package main

const batch = 200 // fits the ring of 256

func main() {
	procs(1)
	report("clock_read", []float64{clockCost})
	buffered()
	handoff()
	pingpong()
	closing()
	selects()
	selectPark()
}

func buffered() {
	const n = 128
	c := make(chan int, n)
	var sends, recvs []float64
	for range 4000 {
		sends = append(sends, timed(func() {
			for i := 0; i < n; i++ {
				c <- i
			}
		})/n-loopCost)
		recvs = append(recvs, timed(func() {
			for i := 0; i < n; i++ {
				<-c
			}
		})/n-loopCost)
	}
	report("chan_send_buffered", sends)
	report("chan_recv_buffered", recvs)
	perOp("chan_len", 300, 10000, func(n int) {
		for i := 0; i < n; i++ {
			keep(len(c))
		}
	})
	perOp("chan_make_unbuffered", 300, 1000, func(n int) {
		for i := 0; i < n; i++ {
			sink = make(chan int)
		}
	})
	perOp("chan_make_128", 300, 1000, func(n int) {
		for i := 0; i < n; i++ {
			sink = make(chan int, 128)
		}
	})
}

var sink chan int

// handoff: sends to receivers that wait already (hand over + ready), then what one receiver costs from its
// wake-up to its next park (schedule from the ring + resume + recv that parks).
func handoff() {
	c := make(chan int)
	for range batch {
		go func() {
			for range c {
			}
		}()
	}
	goyield()
	var sends, rest []float64
	for range 4000 {
		sends = append(sends, timed(func() {
			for i := 0; i < batch; i++ {
				c <- i
			}
		})/batch-loopCost)
		rest = append(rest, timed(goyield)/batch)
	}
	report("chan_send_to_waiter", sends)
	report("ring_schedule_resume_recv_park", rest)
	close(c)
	goyield()

	e := make(chan int)
	quit := false
	for range batch {
		go func() {
			for !quit {
				e <- 1
			}
		}()
	}
	goyield()
	var recvs []float64
	for range 4000 {
		recvs = append(recvs, timed(func() {
			for i := 0; i < batch; i++ {
				<-e
			}
		})/batch-loopCost)
		goyield()
	}
	report("chan_recv_from_waiter", recvs)
	quit = true
	for range batch {
		<-e
	}
	goyield()
}

func pingpong() {
	a, b := make(chan int), make(chan int)
	go func() {
		for v := range a {
			b <- v
		}
	}()
	perOp("pingpong_round_trip", 300, 5000, func(n int) {
		for i := 0; i < n; i++ {
			a <- i
			<-b
		}
	})
	close(a)
	c := make(chan int)
	go func() {
		for i := 0; ; i++ {
			c <- i
		}
	}()
	perOp("unbuffered_per_item", 300, 5000, func(n int) {
		for i := 0; i < n; i++ {
			<-c
		}
	})
	d := make(chan int, 128)
	go func() {
		for i := 0; ; i++ {
			d <- i
		}
	}()
	perOp("buffered128_per_item", 300, 12800, func(n int) {
		for i := 0; i < n; i++ {
			<-d
		}
	})
}

func closing() {
	var empty, waiters, recvClosed []float64
	for range 300 {
		cs := make([]chan int, 1000)
		for i := range cs {
			cs[i] = make(chan int)
		}
		empty = append(empty, timed(func() {
			for _, c := range cs {
				close(c)
			}
		})/1000-loopCost)
		c := cs[0]
		recvClosed = append(recvClosed, timed(func() {
			for i := 0; i < 1000; i++ {
				<-c
			}
		})/1000-loopCost)
	}
	report("chan_close", empty)
	report("chan_recv_closed", recvClosed)
	for range 500 {
		c := make(chan int)
		for range batch {
			go func() { <-c }()
		}
		goyield()
		waiters = append(waiters, timed(func() { close(c) })/batch)
		goyield()
	}
	report("chan_close_per_waiter", waiters)
}

func selects() {
	cs := [4]chan int{}
	for i := range cs {
		cs[i] = make(chan int, 1<<14)
		for range 1 << 13 {
			cs[i] <- 1
		}
	}
	a, b, c, d := cs[0], cs[1], cs[2], cs[3]
	e, f := make(chan int), make(chan int)
	const n = 2000
	refill := func() {
		for _, x := range cs {
			for len(x) < 1<<13 {
				x <- 1
			}
		}
	}
	measure := func(name string, f func()) {
		var samples []float64
		for range 300 {
			refill()
			samples = append(samples, timed(f)/n-loopCost)
		}
		report(name, samples)
	}
	measure("select_recv_2_ready", func() {
		for i := 0; i < n; i++ {
			select {
			case <-a:
			case <-b:
			}
		}
	})
	measure("select_recv_4_ready", func() {
		for i := 0; i < n; i++ {
			select {
			case <-a:
			case <-b:
			case <-c:
			case <-d:
			}
		}
	})
	measure("select_recv_1_of_2_ready", func() {
		for i := 0; i < n; i++ {
			select {
			case <-a:
			case <-e:
			}
		}
	})
	measure("select_1_case_default_not_ready", func() {
		for i := 0; i < n; i++ {
			select {
			case <-e:
			default:
			}
		}
	})
	measure("select_1_case_default_ready", func() {
		for i := 0; i < n; i++ {
			select {
			case <-a:
			default:
			}
		}
	})
	measure("select_2_cases_default_not_ready", func() {
		for i := 0; i < n; i++ {
			select {
			case <-e:
			case <-f:
			default:
			}
		}
	})
}

// selectPark: like handoff, but every receiver waits in a select over 2 or 4 channels.
func selectPark() {
	c, x, y, z := make(chan int), make(chan int), make(chan int), make(chan int)
	run := func(name string, body func() bool) {
		for range batch {
			go func() {
				for body() {
				}
			}()
		}
		goyield()
		var sends, rest []float64
		for range 2000 {
			sends = append(sends, timed(func() {
				for i := 0; i < batch; i++ {
					c <- 1
				}
			})/batch-loopCost)
			rest = append(rest, timed(goyield)/batch)
		}
		report("chan_send_to_"+name+"_waiter", sends)
		report("ring_schedule_resume_"+name+"_park", rest)
		for range batch {
			c <- 0
		}
		goyield()
	}
	run("select2", func() bool {
		select {
		case v := <-c:
			return v == 1
		case <-x:
			return false
		}
	})
	run("select4", func() bool {
		select {
		case v := <-c:
			return v == 1
		case <-x:
		case <-y:
		case <-z:
		}
		return false
	})
}
