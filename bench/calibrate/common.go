//go:build ignore

// What every calibration program shares: timing, statistics, one JSON line per result.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	_ "unsafe" // for go:linkname
)

//go:linkname nanotime runtime.nanotime
func nanotime() int64

// goyield queues the caller at the tail of its P's own ring, so that everything queued before it runs first.
// Gosched would not do: from the global queue the caller is picked after at most 61 schedules.
//
//go:linkname goyield runtime.goyield
func goyield()

// clockCost is what one nanotime call adds to a measured interval.
var clockCost float64

// loopCost is one iteration of an empty counted loop.
var loopCost float64

func init() {
	debug.SetGCPercent(-1)
	best := 1e18
	for round := 0; round < 50; round++ {
		start := nanotime()
		for i := 0; i < 1000; i++ {
			nanotime()
		}
		best = min(best, float64(nanotime()-start)/1000)
	}
	clockCost = best
	best = 1e18
	for round := 0; round < 50; round++ {
		start := nanotime()
		for i := 0; i < 100000; i++ {
			keep(i)
		}
		best = min(best, (float64(nanotime()-start)-clockCost)/100000)
	}
	loopCost = best
}

//go:noinline
func keep(int) {}

func quantile(sorted []float64, q float64) float64 {
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

// report prints one result; samples are nanoseconds for one operation.
func report(name string, samples []float64) {
	if len(samples) == 0 {
		fmt.Printf("{\"name\":%q,\"n\":0}\n", name)
		return
	}
	sort.Float64s(samples)
	fmt.Printf("{\"name\":%q,\"min\":%.1f,\"p10\":%.1f,\"median\":%.1f,\"p90\":%.1f,\"n\":%d}\n", name,
		samples[0], quantile(samples, 0.1), quantile(samples, 0.5), quantile(samples, 0.9), len(samples))
}

// perOp times rounds of f(n), which does the operation n times in its own loop.
func perOp(name string, rounds, n int, f func(n int)) {
	samples := make([]float64, 0, rounds)
	f(n)
	for range rounds {
		start := nanotime()
		f(n)
		took := float64(nanotime()-start) - clockCost
		samples = append(samples, max(0, took/float64(n)-loopCost))
	}
	report(name, samples)
}

// timed returns the nanoseconds f took, without the clock's own cost.
func timed(f func()) float64 {
	start := nanotime()
	f()
	return max(0, float64(nanotime()-start)-clockCost)
}

// idle waits for ns nanoseconds without leaving the P.
func idle(ns int64) {
	for end := nanotime() + ns; nanotime() < end; {
	}
}

func procs(n int) { runtime.GOMAXPROCS(n) }

func die(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
