package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

//o runs 5
// The rules of contexts: trees, causes, deadlines, values, AfterFunc, and parents of one's own kind.

type key string

func (k key) String() string { return "key " + string(k) }

// wrapped has its parent's channel.
type wrapped struct{ context.Context }

// own has a channel of its own.
type own struct {
	context.Context
	done chan struct{}
	err  error
}

func (o *own) Done() <-chan struct{} { return o.done }
func (o *own) Err() error            { return o.err }
func (o *own) end(err error)         { o.err = err; close(o.done) }

// registering also has AfterFunc.
type registering struct {
	own
	calls   []func()
	stopped int
}

func (r *registering) AfterFunc(f func()) func() bool {
	r.calls = append(r.calls, f)
	return func() bool { r.stopped++; return true }
}

func try(name string, f func()) {
	defer func() {
		if r := recover(); r != nil {
			fmt.Println(name, "| panic:", r)
		}
	}()
	fmt.Println("==", name)
	f()
}

func said(ctx context.Context) string {
	return fmt.Sprint(ctx.Err(), " | ", context.Cause(ctx))
}

func name(ctx context.Context) string {
	text := fmt.Sprint(ctx)
	if at := strings.Index(text, "WithDeadline("); at >= 0 {
		end := strings.Index(text, "])")
		text = text[:at] + "WithDeadline" + text[end+2:]
	}
	return text
}

func isDone(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return true
	default:
		return false
	}
}

var bg = context.Background()

func main() {
	try("names", func() {
		c, cancel := context.WithCancel(bg)
		defer cancel()
		d, cancel2 := context.WithTimeout(c, time.Hour)
		defer cancel2()
		v := context.WithValue(d, key("a"), "text")
		fmt.Println(name(context.WithValue(bg, key("k"), nil)))
		fmt.Println(name(context.WithoutCancel(v)))
		fmt.Println(name(context.WithValue(context.WithoutCancel(context.TODO()), key("k"), key("v"))))
		cc, cancel3 := context.WithCancelCause(c)
		defer cancel3(nil)
		fmt.Println(name(cc))
	})
	try("a tree", func() {
		root, cancelRoot := context.WithCancel(bg)
		left, cancelLeft := context.WithCancel(root)
		right, cancelRight := context.WithCancelCause(context.WithValue(root, key("side"), "right"))
		leaf, _ := context.WithCancel(left)
		show := func() { fmt.Println(isDone(root), isDone(left), isDone(right), isDone(leaf)) }
		show()
		cancelLeft()
		cancelLeft()
		show()
		cancelRight(errors.New("the right one"))
		show()
		cancelRoot()
		show()
		fmt.Println(said(root), "|", said(left), "|", said(right), "|", said(leaf))
		late, _ := context.WithCancel(right)
		fmt.Println(isDone(late), said(late))
		fmt.Println(right.Value(key("side")), late.Value(key("side")), leaf.Value(key("side")))
	})
	first, second := errors.New("first"), errors.New("second")
	try("causes", func() {
		p, cp := context.WithCancelCause(bg)
		c, cc := context.WithCancelCause(p)
		cp(first)
		cc(second)
		fmt.Println(said(p), said(c))
		p, cp = context.WithCancelCause(bg)
		c, cc = context.WithCancelCause(p)
		cc(second)
		cp(first)
		fmt.Println(said(p), said(c))
		p, cp = context.WithCancelCause(bg)
		cp(nil)
		cp(first)
		fmt.Println(said(p), context.Cause(p) == context.Canceled)
		p, cp = context.WithCancelCause(bg)
		w := context.WithoutCancel(p)
		below, cb := context.WithCancel(w)
		cp(first)
		fmt.Println(w.Err(), context.Cause(w), w.Done() == nil, said(below))
		cb()
		fmt.Println(said(below))
		fmt.Println(context.Cause(bg), context.Cause(context.WithValue(p, key("x"), 1)))
	})
	try("deadlines", func() {
		_, has := bg.Deadline()
		fmt.Println(has)
		now := time.Now()
		d, cancel := context.WithDeadline(bg, now.Add(time.Second))
		at, _ := d.Deadline()
		fmt.Println(at.Equal(now.Add(time.Second)))
		later, _ := context.WithTimeout(d, time.Hour)
		at2, _ := later.Deadline()
		fmt.Println(at2.Equal(at), name(later) == name(d)+".WithCancel")
		sooner, _ := context.WithTimeoutCause(d, time.Millisecond, first)
		<-sooner.Done()
		fmt.Println(said(sooner), d.Err())
		cancel()
		fmt.Println(said(d), said(later))
		over, stop := context.WithDeadlineCause(bg, now, second)
		fmt.Println(said(over))
		stop()
		fmt.Println(said(over))
		stopped, stop := context.WithTimeoutCause(bg, time.Hour, first)
		stop()
		fmt.Println(said(stopped))
		p, cp := context.WithCancelCause(bg)
		t, _ := context.WithTimeout(p, time.Millisecond)
		<-t.Done()
		fmt.Println(said(t), p.Err())
		cp(first)
		fmt.Println(said(t), said(p))
		fmt.Println(errors.Is(t.Err(), context.DeadlineExceeded), errors.Is(t.Err(), context.Canceled), os.IsTimeout(t.Err()))
	})
	try("values", func() {
		c := context.WithValue(context.WithValue(bg, key("a"), 1), key("b"), 2)
		c = context.WithValue(c, key("a"), 3)
		d, cancel := context.WithTimeout(c, time.Hour)
		defer cancel()
		fmt.Println(d.Value(key("a")), d.Value(key("b")), d.Value(key("c")), d.Value("a"), d.Value(nil))
	})
	try("nil parent", func() { context.WithCancel(nil) })
	try("nil parent", func() { context.WithTimeout(nil, time.Second) })
	try("nil parent", func() { context.WithValue(nil, key("k"), 1) })
	try("nil parent", func() { context.WithoutCancel(nil) })
	try("nil key", func() { context.WithValue(bg, nil, 1) })
	try("no key", func() { context.WithValue(bg, []int{1}, 1) })
	try("AfterFunc", func() {
		c, cancel := context.WithCancel(bg)
		out := make(chan string, 4)
		stop := context.AfterFunc(c, func() { out <- said(c) })
		never := context.AfterFunc(c, func() { out <- "never" })
		fmt.Println(never(), never())
		runtime.Gosched()
		fmt.Println(len(out))
		cancel()
		fmt.Println(<-out, stop())
		runtime.Gosched()
		fmt.Println(len(out))
		stopBg := context.AfterFunc(bg, func() { out <- "never" })
		fmt.Println(stopBg(), stopBg())
		n := runtime.NumGoroutine()
		d, cancelD := context.WithCancelCause(bg)
		for i := range 3 {
			context.AfterFunc(d, func() { out <- fmt.Sprint(i) })
		}
		fmt.Println(runtime.NumGoroutine() - n)
		cancelD(first)
		got := map[string]bool{<-out: true, <-out: true, <-out: true}
		fmt.Println(got["0"] && got["1"] && got["2"])
	})
	try("a wrapped parent", func() {
		n := runtime.NumGoroutine()
		p, cancel := context.WithCancel(bg)
		c, _ := context.WithCancel(wrapped{p})
		fmt.Println(runtime.NumGoroutine() - n)
		cancel()
		fmt.Println(isDone(c), said(c))
	})
	try("a parent of one's own kind", func() {
		n := runtime.NumGoroutine()
		p := &own{Context: bg, done: make(chan struct{})}
		c, _ := context.WithCancel(p)
		grandchild, _ := context.WithCancel(c)
		gone, cancelGone := context.WithCancel(p)
		fmt.Println(runtime.NumGoroutine() - n)
		cancelGone()
		<-gone.Done()
		runtime.Gosched()
		fmt.Println(runtime.NumGoroutine() - n)
		p.end(first)
		<-grandchild.Done()
		runtime.Gosched()
		fmt.Println(said(c), said(grandchild), runtime.NumGoroutine()-n)
		late, _ := context.WithCancel(p)
		fmt.Println(said(late), runtime.NumGoroutine()-n)
	})
	try("one inside a context that can be canceled", func() {
		n := runtime.NumGoroutine()
		root, cancelRoot := context.WithCancelCause(bg)
		p := &own{Context: root, done: make(chan struct{})}
		c, _ := context.WithCancel(p)
		fmt.Println(runtime.NumGoroutine() - n)
		cancelRoot(first)
		runtime.Gosched()
		fmt.Println(c.Err())
		p.end(second)
		<-c.Done()
		fmt.Println(said(c), "|", said(p))
	})
	try("a parent with AfterFunc", func() {
		n := runtime.NumGoroutine()
		p := &registering{own: own{Context: bg, done: make(chan struct{})}}
		c, _ := context.WithCancel(p)
		gone, cancelGone := context.WithCancel(p)
		cancelGone()
		fmt.Println(runtime.NumGoroutine()-n, len(p.calls), p.stopped, said(gone))
		p.end(first)
		for _, call := range p.calls {
			call()
		}
		fmt.Println(said(c), said(gone))
	})
	try("who waits", func() {
		c, cancel := context.WithCancel(bg)
		child, _ := context.WithTimeout(c, time.Hour)
		out := make(chan int, 6)
		for i := range 3 {
			go func() { <-c.Done(); out <- i }()
			go func() {
				select {
				case <-child.Done():
					out <- 10 + i
				case <-time.After(time.Hour):
				}
			}()
		}
		time.Sleep(time.Millisecond)
		cancel()
		for range 6 {
			fmt.Print(<-out, " ")
		}
		fmt.Println()
	})
}
