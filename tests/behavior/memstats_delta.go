// MemStats deltas for N live objects of given sizes, then after dropping half and runtime.GC().
//o env GOMAXPROCS=1 GOGC=off
package main

import (
	"fmt"
	"runtime"
)

var hold [][]byte

func main() {
	runtime.MemProfileRate = 0
	for _, sz := range []int{16, 48, 100, 1000, 5000, 32768, 40000} {
		const N = 1000
		hold = make([][]byte, N)
		runtime.GC()
		var a, b, c runtime.MemStats
		runtime.ReadMemStats(&a)
		for i := range hold {
			hold[i] = make([]byte, sz)
		}
		runtime.ReadMemStats(&b)
		for i := 0; i < N; i += 2 {
			hold[i] = nil
		}
		runtime.GC()
		runtime.ReadMemStats(&c)
		idx := -1
		for i := range b.BySize {
			if b.BySize[i].Mallocs-a.BySize[i].Mallocs >= N/2 {
				idx = i
			}
		}
		fmt.Printf("size %5d x%d: Mallocs +%d HeapAlloc +%d HeapInuse +%d HeapObjects +%d", sz, N,
			b.Mallocs-a.Mallocs, b.HeapAlloc-a.HeapAlloc, b.HeapInuse-a.HeapInuse, b.HeapObjects-a.HeapObjects)
		if idx >= 0 {
			fmt.Printf(" BySize[%d](%d) +%d", idx, b.BySize[idx].Size, b.BySize[idx].Mallocs-a.BySize[idx].Mallocs)
		}
		fmt.Printf(" | after nil half + GC: Frees +%d HeapAlloc +%d HeapInuse %+d NumGC +%d NumForcedGC +%d\n",
			c.Frees-b.Frees, c.HeapAlloc-a.HeapAlloc, int64(c.HeapInuse)-int64(a.HeapInuse), c.NumGC-b.NumGC, c.NumForcedGC-b.NumForcedGC)
		hold = nil
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Println("identities: HeapSys==HeapInuse+HeapIdle", m.HeapSys == m.HeapInuse+m.HeapIdle,
		"; HeapObjects==Mallocs-Frees", m.HeapObjects == m.Mallocs-m.Frees,
		"; Alloc==HeapAlloc", m.Alloc == m.HeapAlloc,
		"; Sys==sum", m.Sys == m.HeapSys+m.StackSys+m.MSpanSys+m.MCacheSys+m.BuckHashSys+m.GCSys+m.OtherSys)
	fmt.Println("len(BySize) =", len(m.BySize), "last BySize size =", m.BySize[60].Size)
}
