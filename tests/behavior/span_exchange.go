// Spans with holes: which of them a P takes after a collection, in which order, and which holes.
//
// Objects of 352 bytes without pointers: nobody else allocates in that size class here. Five spans are filled on P0,
// and all objects of some slots are dropped; the collector runs while there is one P, and then P1 allocates.
//o env GOMAXPROCS=1 GOGC=off
//o runs 60
package main

import (
	"fmt"
	"runtime"
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

type object [size]byte

var hold [256]*object
var held int
var known []uintptr // the spans, in the order in which they were seen first

//go:noinline
func alloc() *object {
	p := new(object)
	hold[held] = p
	held++
	return p
}

func place(p *object) (string, int) {
	addr := uintptr(unsafe.Pointer(p))
	for i, base := range known {
		if base == addr&^8191 {
			return string(rune('A' + i)), int(addr&8191) / size
		}
	}
	known = append(known, addr&^8191)
	return place(p)
}

func show(tag string, n int, alloc func() *object) {
	fmt.Printf("%-12s", tag)
	for i := 0; i < n; i++ {
		name, index := place(alloc())
		fmt.Printf(" %s%d", name, index)
	}
	fmt.Println()
}

// on1 allocates on P1.
func on1() *object {
	for {
		if procPin() == 1 {
			p := alloc()
			procUnpin()
			return p
		}
		procUnpin()
		runtime.Gosched()
	}
}

func main() {
	runtime.MemProfileRate = 0
	known = make([]uintptr, 0, 16)
	for i := 0; i < 5*slots+3; i++ {
		place(alloc())
	}
	fmt.Println("spans filled:", len(known))

	// A: two holes 3 and 7. B: full. C: all free. D: only the last one free. E: free but the first. F: cached, 3 slots.
	for i := range 5*slots + 3 {
		s, j := i/slots, i%slots
		if s == 0 && (j == 3 || j == 7) || s == 2 || s == 3 && j == slots-1 || s == 4 && j > 0 {
			hold[i] = nil
		}
	}
	runtime.GC()
	known[2] = 0 // its page is free: it may become any span

	runtime.GOMAXPROCS(2)
	show("P1", slots-3, on1)
	show("P1", 3, on1)
	show("P1", slots-1, on1)
	show("P1", 5, on1)

	// P1 goes away in the middle of a span.
	runtime.GOMAXPROCS(1)
	show("P0", slots-5, alloc)
	show("P0", 2, alloc)

	// Everything is dropped.
	clear(hold[:])
	runtime.GC()
	runtime.GC()
	held = 0
	known = known[:0]
	show("all free, P0", 3, alloc)
}
