//go:build ignore

// Atomics, conditions, pools and maps of package sync, on one P. (Mutexes and wait groups: gos.go.)
package main

import (
	"sync"
	"sync/atomic"
)

const batch = 200

func main() {
	procs(1)
	atomics()
	values()
	tryLocks()
	conds()
	pools()
	maps()
}

var word atomic.Int64

func atomics() {
	perOp("atomic_load", 300, 10000, func(n int) {
		for i := 0; i < n; i++ {
			keep(int(word.Load()))
		}
	})
	perOp("atomic_store", 300, 10000, func(n int) {
		for i := 0; i < n; i++ {
			word.Store(int64(i))
			keep(i)
		}
	})
	perOp("atomic_add", 300, 10000, func(n int) {
		for i := 0; i < n; i++ {
			word.Add(1)
			keep(i)
		}
	})
	perOp("atomic_swap", 300, 10000, func(n int) {
		for i := 0; i < n; i++ {
			keep(int(word.Swap(int64(i))))
		}
	})
	perOp("atomic_cas", 300, 10000, func(n int) {
		word.Store(0)
		for i := 0; i < n; i++ {
			word.CompareAndSwap(int64(i), int64(i+1))
			keep(i)
		}
	})
	perOp("atomic_or", 300, 10000, func(n int) {
		for i := 0; i < n; i++ {
			word.Or(1)
			keep(i)
		}
	})
}

func values() {
	var v atomic.Value
	items := make([]any, 64)
	for i := range items {
		items[i] = i
	}
	perOp("value_store", 300, 10000, func(n int) {
		for i := 0; i < n; i++ {
			v.Store(items[i&63])
			keep(i)
		}
	})
	perOp("value_load", 300, 10000, func(n int) {
		for i := 0; i < n; i++ {
			keep(v.Load().(int))
		}
	})
}

func tryLocks() {
	var mu sync.Mutex
	perOp("mutex_trylock_unlock", 300, 10000, func(n int) {
		for i := 0; i < n; i++ {
			if mu.TryLock() {
				mu.Unlock()
			}
		}
	})
	mu.Lock()
	perOp("mutex_trylock_refused", 300, 10000, func(n int) {
		for i := 0; i < n; i++ {
			mu.TryLock()
			keep(i)
		}
	})
}

// conds: what a signal costs when nobody waits, and when somebody does; and from its wake-up to its next wait what a
// waiter costs, with the lock that it gives back and takes again.
func conds() {
	var mu sync.Mutex
	none := sync.NewCond(&mu)
	perOp("cond_signal_nobody", 300, 10000, func(n int) {
		for i := 0; i < n; i++ {
			none.Signal()
			keep(i)
		}
	})
	c := sync.NewCond(&mu)
	stop := false
	for range batch {
		go func() {
			mu.Lock()
			for !stop {
				c.Wait()
			}
			mu.Unlock()
		}()
	}
	goyield()
	var one, all, rest []float64
	for range 4000 {
		one = append(one, timed(func() {
			for i := 0; i < batch; i++ {
				c.Signal()
			}
		})/batch-loopCost)
		rest = append(rest, timed(goyield)/batch)
		all = append(all, timed(c.Broadcast)/batch)
		goyield()
	}
	report("cond_signal_waiter", one)
	report("cond_broadcast_per_waiter", all)
	report("ring_schedule_resume_cond_wait_park", rest)
	stop = true
	c.Broadcast()
	goyield()
}

func pools() {
	p := sync.Pool{New: func() any { return new(int) }}
	p.Put(new(int))
	perOp("pool_get_put", 300, 10000, func(n int) {
		for i := 0; i < n; i++ {
			p.Put(p.Get())
		}
	})
	var shared sync.Pool
	x := new(int)
	perOp("pool_put_get_16", 300, 100, func(n int) {
		for i := 0; i < n; i++ {
			for range 16 {
				shared.Put(x)
			}
			for range 16 {
				keep(*shared.Get().(*int))
			}
		}
	})
	var empty sync.Pool
	empty.Put(x)
	empty.Get()
	perOp("pool_get_empty", 300, 10000, func(n int) {
		for i := 0; i < n; i++ {
			empty.Get()
			keep(i)
		}
	})
}

func maps() {
	var m sync.Map
	keys := make([]any, 1024)
	for i := range keys {
		keys[i] = i
		m.Store(keys[i], keys[i])
	}
	perOp("map_load", 300, 10000, func(n int) {
		for i := 0; i < n; i++ {
			v, _ := m.Load(keys[i&1023])
			keep(v.(int))
		}
	})
	perOp("map_store", 300, 10000, func(n int) {
		for i := 0; i < n; i++ {
			m.Store(keys[i&1023], keys[i&1023])
			keep(i)
		}
	})
	perOp("map_delete_store", 300, 10000, func(n int) {
		for i := 0; i < n; i++ {
			m.Delete(keys[i&1023])
			m.Store(keys[i&1023], keys[i&1023])
		}
	})
	perOp("map_range_1024", 300, 10, func(n int) {
		for i := 0; i < n; i++ {
			m.Range(func(k, v any) bool {
				keep(k.(int))
				return true
			})
		}
	})
}
