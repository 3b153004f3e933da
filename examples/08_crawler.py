"""A crawler that counts the longer words in all files of a directory tree, with at most ten reads a second.

Real files are read, by real threads: `syscall` blocks one goroutine, while the others go on. The rate limit is
a ticker that all workers share: one tick, one read, whoever takes it.
Look at the loop in `crawl`: only main knows what is left to do. A send to `nilchan` is never ready, so the
same select offers work while there is some and only listens while there is none.
Try: a directory of your own as the argument; no limit at all; reads that take longer, syscall(..., takes=0.5).
"""

import re
import sys
from collections import Counter, deque
from pathlib import Path

from goruntime import chan, go, nilchan, run, runtime, select, syscall, time

WORKERS = 3
INTERVAL = 0.1
COST_PER_CHARACTER = 10 * time.nanosecond


def read(path):
    """The text of a file or the entries of a directory; links are left out, so that the tree has an end."""
    if path.is_dir():
        return [entry for entry in sorted(path.iterdir()) if not entry.is_symlink()]
    return path.read_text("utf-8", "replace")


def count_words(text):
    """How often each word of five letters or more occurs."""
    runtime.work(len(text) * COST_PER_CHARACTER)
    return Counter(re.findall(r"[a-z]{5,}", text.lower()))


def worker(paths, results, ticks):
    for path in paths:
        ticks.recv()
        try:
            contents = syscall(read, path)
        except OSError as error:
            contents = error
        results.send((path, count_words(contents) if isinstance(contents, str) else contents))


def crawl(root):
    """The words of the tree under root, the number of files read, and what could not be read."""
    paths, results = chan(), chan()
    ticker = time.Ticker(INTERVAL)
    for _ in range(WORKERS):
        go(worker, paths, results, ticker.c)

    words, files, errors = Counter(), 0, []
    to_visit, visiting = deque([root]), 0
    while to_visit or visiting:
        offer = (paths.send, to_visit[0]) if to_visit else (nilchan.send, None)
        match select(offer, results.recv):
            case 0, _:
                to_visit.popleft()
                visiting += 1
                continue
            case 1, (path, found):
                visiting -= 1
        match found:
            case Counter():
                words += found
                files += 1
            case list():
                to_visit.extend(found)
            case error:
                errors.append(f"{path.relative_to(root)}: {error.strerror}")
    paths.close()
    ticker.stop()
    return words, files, errors


def main(root):
    start = time.now()
    words, files, errors = crawl(root)
    for word, count in sorted(words.items(), key=lambda item: (-item[1], item[0]))[:10]:
        print(f"{count:6}  {word}")
    print(f"{words.total()} words, {len(words)} of them different, in {files} files; {time.since(start):.1f} s")
    for error in sorted(errors):
        print("not read:", error)


if __name__ == "__main__":
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "data"
    if not directory.is_dir():
        raise SystemExit(f"{directory} is not a directory")
    run(main, directory)
