//go:build ignore

// Bubbles of testing/synctest on one P. Time stands still in them, so the runtime's own clock is read.
package main

import (
	"time"
	_ "unsafe" // for go:linkname
)

//go:linkname synctestRun internal/synctest.Run
func synctestRun(f func())

//go:linkname synctestWait internal/synctest.Wait
func synctestWait()

func main() {
	procs(1)
	synctestRun(func() {
		perOp("synctest_wait_alone", 300, 1000, func(n int) {
			for i := 0; i < n; i++ {
				synctestWait()
			}
		})
		perOp("synctest_sleep_alone", 300, 1000, func(n int) {
			for i := 0; i < n; i++ {
				time.Sleep(1)
			}
		})
		perOp("synctest_now", 300, 1000, func(n int) {
			for i := 0; i < n; i++ {
				now = time.Now()
			}
		})
	})
	perOp("synctest_run_empty", 300, 100, func(n int) {
		for i := 0; i < n; i++ {
			synctestRun(func() {})
		}
	})
}

var now time.Time
