// Allocations per operation (testing.AllocsPerRun) and bytes for strings,
// interfaces, closures, channels, slices.
//o env GOMAXPROCS=1 GOGC=off
package main

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"unsafe"
)

var sink any
var ss string
var sb []byte
var si any
var sf func() int
var n7, n255, n256 = 7, 255, 256
var s5, s40 = strings.Repeat("x", 5), strings.Repeat("y", 40)
var f1 = 1.5
var bz []byte = []byte("0123456789abcdef0123456789abcdef0123456789")

func per(name string, f func()) {
	const N = 100
	f()
	var a, b runtime.MemStats
	runtime.ReadMemStats(&a)
	for i := 0; i < N; i++ {
		f()
	}
	runtime.ReadMemStats(&b)
	fmt.Printf("%-52s mallocs/op=%.2f bytes/op=%.2f\n", name, float64(b.Mallocs-a.Mallocs)/N, float64(b.TotalAlloc-a.TotalAlloc)/N)
}

type iface interface{ M() }
type T1 struct{ x int }

func (T1) M() {}

type T3 struct{ a, b, c int }

var t1 = T1{5}
var t3 = T3{1, 2, 3}

func main() {
	runtime.MemProfileRate = 0
	per("s+s (5+5, escapes)", func() { ss = s5 + s5 })
	per("s+s (40+40, escapes)", func() { ss = s40 + s40 })
	per("s+\"\" (escapes)", func() { e := ""; ss = s40 + e[:0] })
	per("a+b+c+d (5 each)", func() { ss = s5 + s40 + s5 + s40 })
	per("len(s+s) non-escaping <=32", func() { t := s5 + s5; n7 = len(t) })
	per("string(b) 42 bytes", func() { ss = string(bz) })
	per("string(b[:1])", func() { ss = string(bz[:1]) })
	per("string(b[:0])", func() { ss = string(bz[:0]) })
	per("map/compare string(b) no copy", func() {
		if string(bz) == s40 {
			n7++
		}
	})
	per("[]byte(s) 40 escapes", func() { sb = []byte(s40) })
	per("string(rune) 'é'", func() { ss = string(rune(n7 + 226)) })
	per("strconv.Itoa(7)", func() { ss = strconv.Itoa(n7) })
	per("strconv.Itoa(1234567)", func() { ss = strconv.Itoa(n7 + 1234560) })
	per("strings.Repeat(x,100)", func() { ss = strings.Repeat("x", 100) })
	per("fmt.Sprintf(\"%d\", 256)", func() { ss = fmt.Sprintf("%d", n256) })
	per("fmt.Sprint(7)", func() { ss = fmt.Sprint(n7) })
	per("any(int 7)", func() { si = n7 })
	per("any(int 255)", func() { si = n255 })
	per("any(int 256)", func() { si = n256 })
	per("any(uint8)", func() { si = uint8(n256) })
	per("any(float64 1.5)", func() { si = f1 })
	per("any(float64 0)", func() { var z float64; si = z })
	per("any(string non-empty)", func() { si = s5 })
	per("any(\"\")", func() { var e string; si = e })
	per("any([]byte)", func() { si = bz })
	per("any(pointer)", func() { si = &t3 })
	per("any(struct{int})", func() { si = t1 })
	per("any(struct 3 ints)", func() { si = t3 })
	per("iface(struct{int})", func() { var i iface = t1; si = i })
	per("any(bool)", func() { si = n7 > 3 })
	per("closure capturing 1 int by value", func() { x := n7; sf = func() int { return x } })
	per("closure capturing 3 vars", func() { x, y, z := n7, n255, n256; sf = func() int { return x + y + z } })
	per("closure mutating captured var", func() { x := n7; sf = func() int { x++; return x } })
	per("method value t1.M", func() { g := t1.M; sink = g })
	per("make(chan int)", func() { sink = make(chan int) })
	per("make(chan int,10)", func() { sink = make(chan int, 10) })
	per("make(chan struct{},100)", func() { sink = make(chan struct{}, 100) })
	per("make(chan *int)", func() { sink = make(chan *int) })
	per("make(chan *int,10)", func() { sink = make(chan *int, 10) })
	per("make(chan string,4)", func() { sink = make(chan string, 4) })
	per("make([]int,0)", func() { sink = make([]int, 0) })
	per("make([]int,10) escapes to any (slice header too)", func() { sink = make([]int, 10) })
	per("&struct{}{}", func() { sink = &struct{}{} })
	per("new(T3)", func() { sink = new(T3) })
	per("strings.Builder 40 bytes in 4 writes", func() {
		var b strings.Builder
		for i := 0; i < 4; i++ {
			b.WriteString("0123456789")
		}
		ss = b.String()
	})
	per("strings.Split(5 fields)", func() { sink = strings.Split("a,b,c,d,e", ",") })
	per("go func(){} (reused g)", func() {
		c := make(chan bool)
		go func() { c <- true }()
		<-c
	})
	_ = unsafe.Pointer(nil)
}
