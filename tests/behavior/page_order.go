//o build GOEXPERIMENT=norandomizedheapbase64
// Address order of page allocations (heap base randomization compiled out so the heap
// starts at 0xc000000000): first-fit, lowest address, with a 64-page per-P cache for
// requests under 16 pages.
// The runtime's copies of the environment's strings take the first pages, as many as there are size classes among them.
//o env GOMAXPROCS=1 GOGC=off E48=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx E64=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx E80=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx E32=xxxxxxxxxxxxxxxxxxxxxxxxxxxx E192=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
package main

import (
	"fmt"
	"runtime"
	"unsafe"
)

var hold [4096]unsafe.Pointer
var n int

//go:noinline
func alloc(pages int) uintptr {
	b := make([]byte, pages*8192)
	p := unsafe.Pointer(&b[0])
	hold[n] = p
	n++
	return uintptr(p)
}

var out [512]uintptr

func main() {
	runtime.MemProfileRate = 0
	const base = 0xc000000000
	seq := func(tag string, sizes ...int) {
		k := 0
		for _, s := range sizes {
			out[k] = alloc(s)
			k++
		}
		fmt.Printf("%-34s pages:", tag)
		for i := 0; i < k; i++ {
			fmt.Printf(" %d", (out[i]-base)/8192)
		}
		fmt.Println()
	}
	rep := func(s, k int) []int {
		r := make([]int, k)
		for i := range r {
			r[i] = s
		}
		return r
	}
	fmt.Printf("first heap object page index: %d (address %#x)\n", (alloc(1)-base)/8192, uintptr(hold[0]))
	seq("12 x 1 page", rep(1, 12)...)
	seq("6 x 4 pages", rep(4, 6)...)
	seq("1,16,1,17,1,15 pages", 1, 16, 1, 17, 1, 15)
	seq("40 x 1 page", rep(1, 40)...)
	seq("4 x 100 pages", rep(100, 4)...)
	seq("1 x 600 pages (> 4 MiB chunk)", 600)
	seq("4 x 1 page after", rep(1, 4)...)
	// free every other of 20 single pages, GC, reallocate
	first := n
	seq("20 x 1 page", rep(1, 20)...)
	for i := first; i < first+20; i += 2 {
		hold[i] = nil
	}
	runtime.GC()
	runtime.GC()
	seq("after freeing even ones + 2 GCs", rep(1, 14)...)
	seq("3 x 2 pages (do not fit 1-page holes)", rep(2, 3)...)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Println("HeapSys", m.HeapSys, "HeapInuse", m.HeapInuse, "HeapReleased", m.HeapReleased)
	for _, p := range []int{2000, 9000, 20000} { // 16 MiB, 70 MiB, 156 MiB: heap growth granularity
		a := alloc(p)
		runtime.ReadMemStats(&m)
		fmt.Printf("%d pages at page %d: HeapSys %d (=%d x 4 MiB chunks) HeapReleased %d\n", p, (a-base)/8192, m.HeapSys, m.HeapSys>>22, m.HeapReleased)
	}
}
