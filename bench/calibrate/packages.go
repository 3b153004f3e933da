//go:build ignore

// Coroutines, contexts and random numbers on one P.
package main

import (
	"context"
	"iter"
	"math/rand/v2"
)

func main() {
	procs(1)
	coroutines()
	contexts()
	perOp("rand_uint64", 300, 10000, func(n int) {
		for i := 0; i < n; i++ {
			keep(int(rand.Uint64()))
		}
	})
}

func coroutines() {
	next, stop := iter.Pull(func(yield func(int) bool) {
		for i := 0; yield(i); i++ {
		}
	})
	perOp("iter_pull_next", 300, 5000, func(n int) {
		for i := 0; i < n; i++ {
			next()
		}
	})
	stop()
	var made, stopped []float64
	for range 500 {
		stops := make([]func(), 1000)
		made = append(made, timed(func() {
			for i := range stops {
				_, stops[i] = iter.Pull(func(yield func(int) bool) {})
			}
		})/1000-loopCost)
		stopped = append(stopped, timed(func() {
			for _, stop := range stops {
				stop()
			}
		})/1000-loopCost)
	}
	report("iter_pull", made)
	report("iter_pull_stop_not_begun", stopped)
}

func contexts() {
	const n = 1000
	root, cancelRoot := context.WithCancel(context.Background())
	defer cancelRoot()
	root.Done()
	var made, made2, ended, err, errCanceled, value, afterFunc []float64
	for range 500 {
		ctxs := make([]context.Context, n)
		cancels := make([]context.CancelFunc, n)
		made = append(made, timed(func() {
			for i := range ctxs {
				ctxs[i], cancels[i] = context.WithCancel(context.Background())
			}
		})/n-loopCost)
		for i := range ctxs {
			ctxs[i].Done()
		}
		err = append(err, timed(func() {
			for i := range ctxs {
				if ctxs[i].Err() != nil {
					panic("canceled")
				}
			}
		})/n-loopCost)
		ended = append(ended, timed(func() {
			for i := range cancels {
				cancels[i]()
			}
		})/n-loopCost)
		errCanceled = append(errCanceled, timed(func() {
			for i := range ctxs {
				if ctxs[i].Err() == nil {
					panic("not canceled")
				}
			}
		})/n-loopCost)
		made2 = append(made2, timed(func() {
			for i := range ctxs {
				ctxs[i], cancels[i] = context.WithCancel(root)
			}
		})/n-loopCost)
		for i := range cancels {
			cancels[i]()
		}
		value = append(value, timed(func() {
			for i := range ctxs {
				ctxs[i] = context.WithValue(root, &sinkKey, i)
			}
		})/n-loopCost)
		stops := make([]func() bool, n)
		afterFunc = append(afterFunc, timed(func() {
			for i := range stops {
				stops[i] = context.AfterFunc(root, func() {})
			}
		})/n-loopCost)
		for i := range stops {
			stops[i]()
		}
	}
	report("context_with_cancel_background", made)
	report("context_with_cancel", made2)
	report("context_cancel", ended)
	report("context_err", err)
	report("context_err_canceled", errCanceled)
	report("context_with_value", value)
	report("context_after_func", afterFunc)
}

var sinkKey int
