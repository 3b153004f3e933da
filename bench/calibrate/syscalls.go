//go:build ignore

// System calls: the runtime's part on both sides, the kernel's part, and a thread locked to its goroutine.
package main

import (
	"os"
	"runtime"
	"syscall"
	_ "unsafe"
)

//go:linkname entersyscall runtime.entersyscall
func entersyscall()

//go:linkname exitsyscall runtime.exitsyscall
func exitsyscall()

func main() {
	procs(1)
	perOp("syscall_raw_getppid", 300, 1000, func(n int) {
		for i := 0; i < n; i++ {
			_, _, _ = syscall.RawSyscall(syscall.SYS_GETPPID, 0, 0, 0)
		}
	})
	perOp("syscall_getppid", 300, 1000, func(n int) {
		for i := 0; i < n; i++ {
			_, _, _ = syscall.Syscall(syscall.SYS_GETPPID, 0, 0, 0)
		}
	})
	perOp("entersyscall_exitsyscall", 300, 1000, enterExit)
	var enters, exits []float64
	for range 1000 {
		var enter, exit int64
		for range 100 {
			a, b := split()
			enter += a
			exit += b
		}
		enters = append(enters, float64(enter)/100-clockCost)
		exits = append(exits, float64(exit)/100-clockCost)
	}
	report("entersyscall", enters)
	report("exitsyscall_fast", exits)
	writes()
	locked()
	two()
}

//go:nosplit
func enterExit(n int) {
	for i := 0; i < n; i++ {
		entersyscall()
		exitsyscall()
	}
}

//go:nosplit
func split() (enter, exit int64) {
	a := nanotime()
	entersyscall()
	b := nanotime()
	exitsyscall()
	c := nanotime()
	return b - a, c - b
}

func writes() {
	line := []byte("hello, goroutine 17\n")
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	die(err)
	perOp("write_dev_null", 300, 1000, func(n int) {
		for i := 0; i < n; i++ {
			_, _ = null.Write(line)
		}
	})
	perOp("write_dev_null_raw", 300, 1000, func(n int) {
		for i := 0; i < n; i++ {
			_, _ = syscall.Write(int(null.Fd()), line)
		}
	})
	var p [2]int
	die(syscall.Pipe(p[:]))
	buf := make([]byte, 1<<15)
	var wr, rd []float64
	for range 300 {
		wr = append(wr, timed(func() {
			for range 1000 {
				_, _ = syscall.Write(p[1], line)
			}
		})/1000)
		for left := 1000 * len(line); left > 0; {
			n := 0
			rd = append(rd, timed(func() { n, _ = syscall.Read(p[0], buf[:20]) }))
			left -= n
		}
	}
	report("write_pipe", wr)
	report("read_pipe", rd)
	name := os.TempDir() + "/goruntime-calibrate"
	file, err := os.Create(name)
	die(err)
	perOp("write_file", 100, 1000, func(n int) {
		_, _ = file.Seek(0, 0)
		for i := 0; i < n; i++ {
			_, _ = file.Write(line)
		}
	})
	die(file.Close())
	perOp("open_close_file", 100, 100, func(n int) {
		for i := 0; i < n; i++ {
			f, err := os.Open(name)
			die(err)
			_ = f.Close()
		}
	})
	die(os.Remove(name))
}

// locked: a goroutine bound to its thread and one that is not talk on one P; each direction moves the P to another thread.
func locked() {
	a, b := make(chan int), make(chan int)
	stop := make(chan bool)
	go func() {
		runtime.LockOSThread()
		for {
			select {
			case v := <-a:
				b <- v
			case <-stop:
				runtime.UnlockOSThread()
				return
			}
		}
	}()
	perOp("locked_round_trip", 200, 500, func(n int) {
		for i := 0; i < n; i++ {
			a <- i
			<-b
		}
	})
	close(stop)
	runtime.Gosched()
	perOp("lock_unlock_os_thread", 300, 5000, func(n int) {
		for i := 0; i < n; i++ {
			runtime.LockOSThread()
			runtime.UnlockOSThread()
		}
	})
}

// two: a blocking read on a pipe outside the poller while another goroutine has the P: retaken by sysmon,
// and what the way back costs (exitsyscall with no idle P: global queue, M stops).
func two() {
	var p [2]int
	die(syscall.Pipe(p[:]))
	var written, readAt int64
	ready := make(chan bool)
	go func() {
		buf := make([]byte, 8)
		for {
			_, _ = syscall.Read(p[0], buf)
			readAt = nanotime()
			ready <- true
		}
	}()
	var late []float64
	for range 300 {
		end := nanotime() + 300000
		for nanotime() < end {
			runtime.Gosched()
		}
		written = nanotime()
		_, _ = syscall.Write(p[1], []byte("x"))
		<-ready
		late = append(late, float64(readAt-written))
	}
	report("blocked_read_wakeup_to_running_1p", late)
	procs(2)
	late = late[:0]
	for range 300 {
		idle(300000)
		written = nanotime()
		_, _ = syscall.Write(p[1], []byte("x"))
		<-ready
		late = append(late, float64(readAt-written))
	}
	report("blocked_read_wakeup_to_running_2p", late)
}
