"""Records of one size that the runtime keeps outside the heap: spans, mcaches, specials.

The records themselves are Python objects; what is kept is how much memory they take in Go. A record that was freed is
used again before a new one is cut from a chunk of 16 KiB.

Go: runtime/mfixalloc.go fixalloc (go1.27).
Units: bytes.
"""

from __future__ import annotations

from ..base.errors import throw
from .stats import SysMemStat
from .sysmem import PersistentAlloc, SysMem

CHUNK = 16 << 10
# What Go's records take on linux/amd64.
MSPAN_SIZE = 160
MCACHE_SIZE = 2296
ARENA_HINT_SIZE = 24


class FixAlloc:
    """The accounts of one kind of record.

    Go: runtime/mfixalloc.go fixalloc.
    """

    __slots__ = ("chunk_left", "free_count", "inuse", "size", "stat", "sysmem")

    def __init__(self, size: int, sysmem: SysMem, stat: SysMemStat) -> None:
        if not 8 <= size <= CHUNK:
            throw("runtime: fixalloc size too large")
        self.size = size
        self.sysmem = sysmem
        self.stat = stat
        self.free_count = 0  # records on the free list
        self.chunk_left = 0  # bytes of the chunk that were never used
        self.inuse = 0  # bytes of records in use

    def alloc(self, local: PersistentAlloc | None = None) -> bool:
        """Take a record; whether it is a new one.

        Raises: OutOfMemory.
        Go: runtime/mfixalloc.go fixalloc.alloc.
        """
        is_new = not self.free_count
        if not is_new:
            self.free_count -= 1
        else:
            if self.chunk_left < self.size:
                chunk = CHUNK // self.size * self.size
                self.sysmem.persistentalloc(chunk, 0, self.stat, local)
                self.chunk_left = chunk
            self.chunk_left -= self.size
        self.inuse += self.size
        return is_new

    def alloc_first(self, count: int) -> None:
        """Take so many records before any other; they fit into one chunk.

        Unoptimised form: alloc, count times.
        """
        self.alloc()
        self.chunk_left -= self.size * (count - 1)
        self.inuse += self.size * (count - 1)
        if self.chunk_left < 0:
            throw("fixalloc: more than a chunk")

    def free(self) -> None:
        """Put a record on the free list.

        Go: runtime/mfixalloc.go fixalloc.free.
        """
        if self.inuse < self.size:
            throw("fixalloc: frees more than was allocated")
        self.inuse -= self.size
        self.free_count += 1

    def check(self) -> None:
        """In use, free and never used are what was mapped."""
        if self.inuse + self.free_count * self.size + self.chunk_left != self.stat.bytes:
            throw("fixalloc: records do not add up")
