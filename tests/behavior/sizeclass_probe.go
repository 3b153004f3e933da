// Size-class rounding measured from MemStats: bytes charged per object for
// pointer-free ([]byte) and pointerful ([]*byte) requests.
//o env GOMAXPROCS=1 GOGC=off
package main

import (
	"fmt"
	"runtime"
)

var sinkB [][]byte
var sinkP [][]*byte

func charge(n int, f func()) (mallocs, bytes float64) {
	var a, b runtime.MemStats
	runtime.ReadMemStats(&a)
	for i := 0; i < n; i++ {
		f()
	}
	runtime.ReadMemStats(&b)
	return float64(b.Mallocs-a.Mallocs) / float64(n), float64(b.TotalAlloc-a.TotalAlloc) / float64(n)
}

func main() {
	runtime.MemProfileRate = 0
	const N = 200
	sinkB = make([][]byte, 1)
	sinkP = make([][]*byte, 1)
	// noscan: print every boundary where the charged size changes
	fmt.Println("noscan: first request size that yields a new slot size (size>=16)")
	last := -1.0
	for sz := 16; sz <= 33000; sz++ {
		step := 1
		_ = step
		_, b := charge(2, func() { sinkB[0] = make([]byte, sz) })
		if b != last {
			fmt.Printf("%d->%.0f ", sz, b)
			last = b
		}
	}
	fmt.Println()
	fmt.Println("scan (len = words): first request bytes that yields a new slot size")
	last = -1
	for w := 1; w <= 4200; w++ {
		_, b := charge(2, func() { sinkP[0] = make([]*byte, w) })
		if b != last {
			fmt.Printf("%d->%.0f ", w*8, b)
			last = b
		}
	}
	fmt.Println()
	for _, sz := range []int{32760, 32761, 32768, 32769, 40960, 40961, 65536, 100000, 1 << 20, 1<<20 + 1} {
		m, b := charge(N/20, func() { sinkB[0] = make([]byte, sz) })
		m2, b2 := charge(N/20, func() { sinkP[0] = make([]*byte, (sz+7)/8) })
		fmt.Printf("large req=%d noscan mallocs=%.1f bytes=%.0f | scan(req=%d) mallocs=%.1f bytes=%.0f\n", sz, m, b, (sz+7)/8*8, m2, b2)
	}
}
