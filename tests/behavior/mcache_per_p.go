// An mcache for each P: which slots goroutines get that run on two Ps, that migrate, and when a P goes away.
//
// Objects of 352 bytes without pointers: nobody else allocates in that size class here. procPin says on which P an
// allocation is made, and keeps the goroutine there meanwhile. Only facts are printed that hold in any schedule.
//o env GOMAXPROCS=2 GOGC=off
//o runs 60
package main

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"unsafe"
)

const (
	size  = 352
	slots = 22 // in a span, which is one page
)

//go:linkname procPin runtime.procPin
func procPin() int

//go:linkname procUnpin runtime.procUnpin
func procUnpin()

type slot struct {
	addr uintptr
	pid  int
}

var hold [4096]unsafe.Pointer
var held atomic.Int32
var last [2]uintptr // the last slot that each P handed out

//go:noinline
func alloc() slot {
	pid := procPin()
	p := unsafe.Pointer(new([size]byte))
	hold[held.Add(1)-1] = p
	last[pid] = uintptr(p)
	procUnpin()
	return slot{uintptr(p), pid}
}

func span(addr uintptr) uintptr { return addr &^ 8191 }

func index(addr uintptr) int { return int(addr&8191) / size }

// on returns when the calling goroutine is on P pid: yielding takes it from one P to the other, sooner or later.
func on(pid int) {
	for {
		at := procPin()
		procUnpin()
		if at == pid {
			return
		}
		runtime.Gosched()
	}
}

// allocOn allocates on P pid.
func allocOn(pid int) slot {
	for {
		on(pid)
		if procPin() == pid {
			s := alloc()
			procUnpin()
			return s
		}
		procUnpin()
	}
}

// together: two goroutines, each locked to a thread, allocate at the same time.
func together(n int) []slot {
	var ready atomic.Int32
	out := make(chan []slot, 2)
	for i := 0; i < 2; i++ {
		go func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			mine := make([]slot, 0, n)
			ready.Add(1)
			for ready.Load() < 2 { // both run: each has a P, and they are two
			}
			for len(mine) < n {
				mine = append(mine, alloc())
			}
			ready.Add(1)
			for ready.Load() < 4 {
			}
			out <- mine
		}()
	}
	return append(<-out, <-out...)
}

func main() {
	runtime.MemProfileRate = 0
	for pid := 0; pid < 2; pid++ {
		allocOn(pid) // each P has a span of its own
	}
	fmt.Println("each P has a span of its own:", span(last[0]) != span(last[1]))

	all := together(1000)
	owners := map[uintptr]int{}
	counts := map[uintptr]int{}
	pids := map[int]int{}
	shared, most := 0, 0
	for _, s := range all {
		if pid, ok := owners[span(s.addr)]; ok && pid != s.pid {
			shared++
		}
		owners[span(s.addr)] = s.pid
		counts[span(s.addr)]++
		most = max(most, counts[span(s.addr)])
		pids[s.pid]++
	}
	fmt.Println("allocated together:", len(all), "on Ps:", len(pids))
	fmt.Println("spans with slots of both Ps:", shared, "most slots in a span:", most)
	distinct := map[uintptr]bool{}
	for _, s := range all {
		distinct[s.addr] = true
	}
	fmt.Println("slots given twice:", len(all)-len(distinct))

	// A goroutine that migrates takes its next slot from the other P's span.
	for pid := range last { // room for what follows: eight slots in the span of each
		for index(last[pid]) > slots-8 {
			allocOn(pid)
		}
	}
	mine := allocOn(0)
	for _, pid := range []int{1, 0, 1, 0} {
		before := last
		s := allocOn(pid)
		fmt.Printf("migrated to P%d: in the span of its own last slot: %v; the slot after P%d's last one: %v\n",
			pid, span(s.addr) == span(mine.addr), pid, s.addr == before[pid]+size)
		mine = s
	}

	// P1 goes away: P0 fills its own span, then goes on where P1 was.
	left := last
	runtime.GOMAXPROCS(1)
	own, theirs, fresh := 0, 0, 0
	inOrder := true
	for i := index(left[0]) + 1; i < slots; i++ {
		s := alloc()
		inOrder = inOrder && s.addr == span(left[0])+uintptr(i*size)
		own++
	}
	for i := index(left[1]) + 1; i < slots; i++ {
		s := alloc()
		inOrder = inOrder && s.addr == span(left[1])+uintptr(i*size)
		theirs++
	}
	for i := 0; i < slots; i++ {
		s := alloc()
		inOrder = inOrder && index(s.addr) == i && span(s.addr) != span(left[0]) && span(s.addr) != span(left[1])
		fresh++
	}
	fmt.Println("one P: its own span to the end, then P1's from where it was, then a fresh one:", inOrder, own > 0, theirs > 0, fresh)

	// P1 comes back, with an mcache that holds nothing.
	alloc() // P0 has another fresh span
	runtime.GOMAXPROCS(2)
	s := allocOn(1)
	fmt.Println("P1 again: in P0's span:", span(s.addr) == span(last[0]), "the first slot of a span:", index(s.addr) == 0)

	// ReadMemStats takes the spans of all Ps, and P0's first. Whoever needs one takes them in that order.
	for i := 0; i < 3; i++ {
		allocOn(0)
		allocOn(1)
	}
	for _, first := range []int{0, 1, 1} {
		before := last
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		one := allocOn(first)
		two := allocOn(1 - first)
		fmt.Printf("after ReadMemStats P%d goes on in P0's span: %v, then P%d in P1's: %v\n",
			first, one.addr == before[0]+size, 1-first, two.addr == before[1]+size)
	}
}
