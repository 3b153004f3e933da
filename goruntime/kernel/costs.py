"""What each runtime operation costs, in virtual nanoseconds.

One table for the whole runtime, measured on real Go 1.27.3 (linux/amd64) by `bench/calibrate.py`, which prints the
figures that the comments name. The absolute values matter little, their ratios do: they decide who is ahead when
several Ms run, and how much a program can do in a time slice.
"""

from __future__ import annotations

# Channels: an operation that completes at once; waking somebody adds READY.
CHAN_OP = 15  # chan_send_buffered 15, chan_recv_buffered 14
CHAN_CLOSE = 12  # chan_close
CHAN_LEN = 1  # chan_len
SELECT_TWO = 39  # select_recv_2_ready
SELECT_CASE = 25  # for each case more: select_recv_4_ready 89

# Goroutines.
NEWPROC = 78  # go_statement, with a dead G at hand
GOEXIT = 32  # ring_schedule_start_exit without the schedule
SCHEDULE = 32  # schedule and execute of a local goroutine: 0.7 * goyield_alone
PARK = 63  # gopark (31) and the switch to the next local goroutine (SCHEDULE)
READY = 57  # goready: chan_send_to_waiter - chan_send_buffered
GOSCHED = 56  # gosched_alone 88 without the schedule
GLOBAL_QUEUE = 30  # taking sched.lock and a batch
STEAL_PASS = 46  # steal_nothing_4_passes_1_victim
NETPOLL = 183  # netpoll_0
TIMER_OP = 45  # timer_reset_later; a stop is cheaper (23), a first start dearer (169)
TIMER_FIRE = 72  # afterfunc_fire_start_exit without the goroutine
TIME_NOW = 45  # time_now
DEFER_PANIC = 145  # panic_recover
SYNCTEST_WAIT = 8  # synctest_wait_alone 128, without the park and the ready
SYNCTEST_RUN = 105  # synctest_run_empty 367, without one goroutine (142) and the root's park and ready
SYNCTEST_NOW = 2  # synctest_now: a bubble's clock is a field
LOCK_THREAD = 1  # lock_unlock_os_thread
NEWCORO = 174  # iter_pull
COROSWITCH = 28  # iter_pull_next / 2: into the iterator, or back
CONTEXT_NEW = 113  # context_with_cancel
CONTEXT_CANCEL = 15  # context_cancel - chan_close
CONTEXT_ERR = 1  # context_err
RAND = 3  # rand_uint64
PRINT = 248  # the builtin print: a write without entering a system call (write_dev_null)

# Semaphores and package sync: an operation that completes at once; waking and parking add READY and PARK.
SEMA = 6  # semrelease_semacquire_uncontended / 2
SEMA_QUEUE = 12  # joining the wait queue: SEMACQUIRE_PARK, beyond a receive that parks
SEMA_WAKE = 16  # leaving it: semrelease_with_waiter 79 without READY and SEMA
MUTEX = 5  # mutex_lock_unlock / 2
CRITICAL = 2 * MUTEX  # a lock and an unlock around a few instructions
MUTEX_SPIN = 748  # procyield_30: one round of spinning
RWMUTEX_READ = 5  # rwmutex_rlock_runlock / 2
RWMUTEX_WRITE = 10  # rwmutex_lock_unlock / 2
WAITGROUP = 6  # waitgroup_add_done / 2
ONCE = 1  # once_done
COND = 2  # cond_signal_nobody; waking a waiter adds no more than READY (cond_signal_waiter 37)
ATOMIC = 1  # atomic_add 0.6, atomic_load 0
VALUE_STORE = 4  # value_store
POOL = 5  # pool_get_put / 2
POOL_SHARED = 4  # on top, for the shared chain: pool_put_get_16 / 32 without POOL
MAP_LOAD = 13  # map_load
MAP_STORE = 60  # map_store
MAP_DELETE = 45  # map_delete_store / 2
MAP_RANGE_KEY = 7  # map_range_1024 / 1024
NANOTIME = 22  # nanotime

# Allocation. The caller adds MALLOC_PER_1024 for every 1,024 bytes of the slot that are zeroed.
MALLOC = 5  # malloc_noscan_16: a slot of a span at hand
MALLOC_TINY = 3  # malloc_tiny_1: room in the block that is open
MALLOC_SCAN = 1  # on top, for pointer bits: malloc_scan_48 - malloc_noscan_48
MALLOC_HEADER = 6  # on top, for a type word: malloc_scan_1016 - malloc_noscan_1024
MALLOC_PER_1024 = 51  # malloc_noscan_1024 - malloc_noscan_128, by their sizes, without the refills
SPAN_REFILL = 98  # another span, swept first or fresh: 2 * (malloc_dirty_8192 - malloc_dirty_4096)
MALLOC_LARGE = 232  # malloc_dirty_large_65536: a span for one object
MALLOC_LARGE_PAGE = 182  # each page of it zeroed: (malloc_large_65536 - malloc_dirty_large_65536) / 8

STORE = 0  # pointer_store 0: of a pointer, barrier off

# System calls.
ENTERSYSCALL = 8  # entersyscall
EXITSYSCALL = 5  # exitsyscall_fast
EXITSYSCALL_SLOW = 200
WRITE = 661  # write_file: 20 bytes into the page cache

# A call to a socket or pipe that does not block. A run that has one follows the wall clock, in which the host's own
# part is already: so every call is charged as the shortest is.
SOCKET_CALL = 466  # socket_read_eagain; socket_write_64 is 3,796, socket_read_64 3,496, pipe_write_read_64 964
SOCKET_OPEN = 932  # two of them

# Threads.
FUTEX_WAKE = 7_658  # futex_wake_call: the waker's part
THREAD_WAKE = 11_337  # futex_wake_latency 18,995 from the call until the sleeper runs, less the waker's part
THREAD_CREATE = 12_000  # the creator's part of newm_to_run
THREAD_START = 14_565  # newm_to_run 26,565 from the call until the thread runs a goroutine, less the creator's part
USLEEP_OVERSLEEP = 73_656  # late_usleep_20us: 50 us of timer slack and a wake-up
STEAL_RUNNEXT_SLEEP = 3_000 + 74_292  # runqgrab's usleep(3), with late_usleep_3us
EPOLL_OVERSLEEP = 78_444  # late_sleep_1ms: what time.Sleep on an idle P is late by
READ_MEM_STATS = 459  # read_mem_stats 691 without stopping and starting the world
METRICS_READ = 35  # metrics_read_gogc 60 without one value
METRICS_VALUE = 25  # metrics_read_all 2,744 / 108
STOP_THE_WORLD = 116  # stop_world_1p_idle, start_world_1p_idle

# Python code without a safepoint: what the preemption signal charges, and what a Python frame weighs in the byte limit
# of debug.set_max_stack: 1 GB is the recursion limit of 3,000.
SIGNAL_SLICE = 10_000_000
STACK_BYTES_PER_FRAME = 333_333
