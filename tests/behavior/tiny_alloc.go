// Tiny allocator (16-byte blocks, pointer-free objects < 16 B): counts for N
// equal-size allocations, and packing of mixed sizes seen through addresses.
//o env GOMAXPROCS=1 GOGC=off
package main

import (
	"fmt"
	"runtime"
	"unsafe"
)

var hold [20000]unsafe.Pointer

type T3 struct{ a, b, c byte }
type T5 struct{ a [5]byte }
type T6 struct{ a, b, c int16 }
type T7 struct{ a [7]byte }
type T12 struct{ a, b, c int32 }

func measure(name string, sz, align uintptr, f func(i int)) {
	const N = 4800
	var a, b runtime.MemStats
	runtime.ReadMemStats(&a) // flushes mcaches, so the tiny block starts empty
	for i := 0; i < N; i++ {
		f(i)
	}
	runtime.ReadMemStats(&b)
	fmt.Printf("%-10s size=%2d: Mallocs +%d Frees +%d HeapObjects +%d TotalAlloc +%d  class16.Mallocs +%d (=%.3f objs/block) class8 +%d class24 +%d\n",
		name, sz, b.Mallocs-a.Mallocs, b.Frees-a.Frees, b.HeapObjects-a.HeapObjects, b.TotalAlloc-a.TotalAlloc,
		b.BySize[2].Mallocs-a.BySize[2].Mallocs, N/float64(b.BySize[2].Mallocs-a.BySize[2].Mallocs),
		b.BySize[1].Mallocs-a.BySize[1].Mallocs, b.BySize[3].Mallocs-a.BySize[3].Mallocs)
}

func main() {
	runtime.MemProfileRate = 0
	measure("int8", 1, 1, func(i int) { p := new(int8); hold[i] = unsafe.Pointer(p) })
	measure("int16", 2, 2, func(i int) { p := new(int16); hold[i] = unsafe.Pointer(p) })
	measure("[3]byte", 3, 1, func(i int) { p := new(T3); hold[i] = unsafe.Pointer(p) })
	measure("int32", 4, 4, func(i int) { p := new(int32); hold[i] = unsafe.Pointer(p) })
	measure("[5]byte", 5, 1, func(i int) { p := new(T5); hold[i] = unsafe.Pointer(p) })
	measure("3*int16", 6, 2, func(i int) { p := new(T6); hold[i] = unsafe.Pointer(p) })
	measure("[7]byte", 7, 1, func(i int) { p := new(T7); hold[i] = unsafe.Pointer(p) })
	measure("int64", 8, 8, func(i int) { p := new(int64); hold[i] = unsafe.Pointer(p) })
	measure("[9]byte", 9, 1, func(i int) { p := new([9]byte); hold[i] = unsafe.Pointer(p) })
	measure("3*int32", 12, 4, func(i int) { p := new(T12); hold[i] = unsafe.Pointer(p) })
	measure("[15]byte", 15, 1, func(i int) { p := new([15]byte); hold[i] = unsafe.Pointer(p) })
	measure("[16]byte", 16, 1, func(i int) { p := new([16]byte); hold[i] = unsafe.Pointer(p) })
	measure("*int(ptr)", 8, 8, func(i int) { p := new(*int); hold[i] = unsafe.Pointer(p) })
	measure("struct{}", 0, 1, func(i int) { p := new(struct{}); hold[i] = unsafe.Pointer(p) })

	// Packing order: offsets inside the 16-byte block.
	seq := func(name string, fs ...func() unsafe.Pointer) {
		var ms runtime.MemStats
		runtime.ReadMemStats(&ms) // flush: next tiny alloc opens a new block
		var ps []unsafe.Pointer
		for _, f := range fs {
			ps = append(ps, f())
		}
		fmt.Printf("%s:", name)
		blocks := map[uintptr]int{}
		for i, p := range ps {
			base := uintptr(p) &^ 15
			if _, ok := blocks[base]; !ok {
				blocks[base] = len(blocks)
			}
			hold[i] = p
			fmt.Printf(" b%d+%d", blocks[base], uintptr(p)&15)
		}
		fmt.Println()
	}
	i8 := func() unsafe.Pointer { p := new(int8); hold[0] = unsafe.Pointer(p); return hold[0] }
	i16 := func() unsafe.Pointer { p := new(int16); hold[0] = unsafe.Pointer(p); return hold[0] }
	i32 := func() unsafe.Pointer { p := new(int32); hold[0] = unsafe.Pointer(p); return hold[0] }
	i64 := func() unsafe.Pointer { p := new(int64); hold[0] = unsafe.Pointer(p); return hold[0] }
	b3 := func() unsafe.Pointer { p := new(T3); hold[0] = unsafe.Pointer(p); return hold[0] }
	b12 := func() unsafe.Pointer { p := new(T12); hold[0] = unsafe.Pointer(p); return hold[0] }
	b15 := func() unsafe.Pointer { p := new([15]byte); hold[0] = unsafe.Pointer(p); return hold[0] }
	seq("1,2,4,8", i8, i16, i32, i64)
	seq("1,8,1,2,4", i8, i64, i8, i16, i32)
	seq("3,3,3,3,3,3", b3, b3, b3, b3, b3, b3)
	seq("12,1,1,1,1,1", b12, i8, i8, i8, i8, i8)
	seq("12,8,1,1,1,1 (new block kept only if it has more room)", b12, i64, i8, i8, i8, i8)
	seq("8,12,1,1,1 (12 does not displace the 8-block)", i64, b12, i8, i8, i8)
	seq("15,1,1", b15, i8, i8)
	seq("1,15,15,1", i8, b15, b15, i8)
	a, b := new(struct{}), new([0]int)
	hold[0], hold[1] = unsafe.Pointer(a), unsafe.Pointer(b)
	fmt.Println("escaping zero-size objects share one address:", hold[0] == hold[1])
}
