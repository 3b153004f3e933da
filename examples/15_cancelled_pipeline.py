"""A search for a lost password in three stages; the first hit cancels everything that is still at work.

Look at what `ctx` does: every stage that can block also listens to `ctx.done()`, so one call of `cancel` (or the
deadline) ends all of them, however many there are, and `context.cause(ctx)` tells each one why. Compare 04_pipeline,
which does the same by hand with a channel.
Try: leave `ctx.done().recv` out of one select: the goroutines that hang there are counted at the end.
"""

import hashlib
import itertools

from goruntime import chan, context, errors, go, run, runtime, select, sync, time

WANTED = hashlib.sha256(b"gochannel").hexdigest()
SYLLABLES = "pher", "go", "ru", "nti", "me", "chan", "nel", "se", "lect"
WORKERS = 4
HASHING = 2 * time.millisecond
TIMEOUT = 1.0

found_it = errors.new("somebody found it")


def candidates(ctx):
    """All words of up to three syllables, until nobody wants more."""
    out = chan()

    @go
    def produce():
        try:
            for length in 1, 2, 3:
                for syllables in itertools.product(SYLLABLES, repeat=length):
                    if select((out.send, "".join(syllables)), ctx.done().recv)[0] == 1:
                        print(f"  candidates end at length {length}: {context.cause(ctx)}")
                        return
        finally:
            out.close()

    return out


def check(ctx, words, hits, group):
    """Hash words; a hit goes to main, unless it is too late for that."""
    for word in words:
        runtime.work(HASHING)
        if hashlib.sha256(word.encode()).hexdigest() == WANTED:
            select((hits.send, word), ctx.done().recv)
    group.done()


def search(ctx):
    ctx, cancel = context.with_cancel_cause(ctx)
    words, hits, group = candidates(ctx), chan(), sync.WaitGroup()
    for _ in range(WORKERS):
        group.add(1)
        go(check, ctx, words, hits, group)
    match select(hits.recv, ctx.done().recv):
        case 0, word:
            cancel(found_it)
            answer = f"it was {word!r}"
        case _:
            answer = f"not found: {ctx.err()}"
    group.wait()
    return answer


def main():
    for timeout in TIMEOUT, 0.03:
        print(f"{timeout} s to search:")
        start = time.now()
        ctx, cancel = context.with_timeout(context.background(), timeout)
        answer = search(ctx)
        cancel()
        print(f"  {answer}, after {time.since(start) * 1000:.0f} ms")
    time.sleep(time.millisecond)
    print("goroutines left:", runtime.num_goroutine())


if __name__ == "__main__":
    run(main)
