//go:build ignore

// Allocation on one P, by path and size. Objects are garbage at once and the collector runs, so that memory is reused as
// it is in a program that has run for a while: fresh pages from the kernel would cost ten times as much.
package main

import (
	"runtime"
	"runtime/debug"
	"unsafe"
)

//go:linkname mallocgc runtime.mallocgc
func mallocgc(size uintptr, typ unsafe.Pointer, needzero bool) unsafe.Pointer

type words6 struct{ a, b, c, d, e, f *int }
type words16 struct{ p [16]*int }
type words127 struct{ p [127]*int }

var (
	sinkPtr unsafe.Pointer
	sink6   *words6
	sink16  *words16
	sink127 *words127
	sink2   **int
	sinkAny any
	cell6   = new(words6)
)

func noscan(name string, batch int, size uintptr, needzero bool) {
	perOp(name, 4000, batch, func(n int) {
		for i := 0; i < n; i++ {
			sinkPtr = mallocgc(size, nil, needzero)
		}
	})
}

func main() {
	procs(1)
	debug.SetGCPercent(400)
	noscan("malloc_0", 100, 0, true)
	noscan("malloc_tiny_1", 160, 1, true)
	noscan("malloc_tiny_8", 100, 8, true)
	noscan("malloc_noscan_16", 50, 16, true)
	noscan("malloc_noscan_48", 50, 48, true)
	noscan("malloc_noscan_128", 40, 128, true)
	noscan("malloc_noscan_1024", 80, 1024, true)
	// Classes with one and with two slots a span, nothing zeroed: the difference is half a refill.
	noscan("malloc_dirty_4096", 40, 4096, false)
	noscan("malloc_dirty_8192", 40, 8192, false)
	noscan("malloc_dirty_large_65536", 20, 65536, false)
	noscan("malloc_large_65536", 20, 65536, true)
	noscan("malloc_large_1048576", 4, 1<<20, true)
	perOp("malloc_scan_8", 4000, 50, func(n int) {
		for i := 0; i < n; i++ {
			sink2 = new(*int)
		}
	})
	perOp("malloc_scan_48", 4000, 50, func(n int) {
		for i := 0; i < n; i++ {
			sink6 = new(words6)
		}
	})
	perOp("malloc_scan_128", 4000, 40, func(n int) {
		for i := 0; i < n; i++ {
			sink16 = new(words16)
		}
	})
	perOp("malloc_scan_1016", 4000, 80, func(n int) {
		for i := 0; i < n; i++ {
			sink127 = new(words127)
		}
	})
	// The barrier is off, so a store is an instruction and the look at the flag.
	p := new(int)
	perOp("pointer_store", 4000, 1000, func(n int) {
		for i := 0; i < n; i++ {
			cell6.a = p
		}
	})
	runtime.KeepAlive(sinkAny)
}
