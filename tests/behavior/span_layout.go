// Objects per 8 KiB span as seen from consecutive addresses: shows the 128-byte
// inline mark bits (Green Tea, 16..512 B) and 128-byte pointer bitmap (scan, <=512 B).
//o env GOMAXPROCS=1 GOGC=off
package main

import (
	"fmt"
	"runtime"
	"unsafe"
)

var keepB [][]byte
var keepP [][]*byte

func perSpan(alloc func() uintptr, spanBytes uintptr) (n, first, lastEnd uintptr) {
	// fill several fresh spans; the maximum seen is the span's object capacity
	// (a span may also hold a few unrelated runtime objects of the same class)
	counts := map[uintptr]uintptr{}
	minoff := map[uintptr]uintptr{}
	for len(counts) < 12 {
		p := alloc()
		b := p &^ 8191
		if counts[b] == 0 {
			minoff[b] = p - b
		}
		counts[b]++
	}
	first = 1 << 20
	for b, c := range counts {
		n = max(n, c)
		first = min(first, minoff[b])
	}
	return n, first, 0
}

func main() {
	runtime.MemProfileRate = 0
	fmt.Println("size  noscan_objs scan_objs  8192/size")
	for _, sz := range []int{16, 24, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 288, 320, 352, 384, 416, 448, 480, 512, 576, 640, 704, 768, 896, 1024, 1152, 1280, 1536, 2048, 2688, 4096} {
		n1, _, _ := perSpan(func() uintptr {
			b := make([]byte, sz)
			keepB = append(keepB, b)
			return uintptr(unsafe.Pointer(&b[0]))
		}, 8192)
		req := sz / 8
		if sz > 512 {
			req-- // leave room for the 8-byte malloc header
		}
		var off uintptr
		n2, off, _ := perSpan(func() uintptr {
			b := make([]*byte, req)
			keepP = append(keepP, b)
			return uintptr(unsafe.Pointer(&b[0]))
		}, 8192)
		fmt.Printf("%5d  %5d      %5d (first object at span offset %d) %6d\n", sz, n1, n2, off, 8192/sz)
	}
	// 8-byte class (scan only for escaping single pointers)
	var ps []*uintptr
	_ = ps
	n3, _, _ := perSpan(func() uintptr {
		b := make([]*byte, 1)
		keepP = append(keepP, b)
		return uintptr(unsafe.Pointer(&b[0]))
	}, 8192)
	fmt.Printf("%5d            %5d   (scan)          %6d\n", 8, n3, 8192/8)
}
