"""Pool: items that may be used again, or thrown away at any collection.

Each P has a private item and a chain of shared ones. `put` fills the private place first; `get` takes the private
item, then the newest shared one of its own P, then the oldest of another P, tried in order, then from the *victim*:
what the pool held when the last collection began. A collection throws the victim away and makes the present items the
new one, so that an item survives one collection, and not two, without being used.

Differs: under the race detector Go drops every fourth item at random; there is none yet.
Go: sync/pool.go Pool, poolCleanup; sync/poolqueue.go poolChain.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from greenlet import getcurrent

from ..base.errors import throw
from ..base.events import POOL_GET, POOL_PUT
from ..kernel import costs
from ..lang.owner import Owned, unbroken
from ..sched.ops import OP_POOL

if TYPE_CHECKING:
    from ..sched.g import G
    from ..sched.m import M
    from ..sched.sched import Sched

COST = costs.POOL
SHARED_COST = costs.POOL_SHARED


class PoolLocal:
    """What a pool holds for one P."""

    __slots__ = ("private", "shared")

    def __init__(self) -> None:
        self.private: Any = None
        self.shared: deque[Any] = deque()  # its own P uses the right end, others the left


class Pools:
    """The pools of a run that hold something: those with items, and those with a victim.

    Go: sync/pool.go allPools, oldPools.
    """

    __slots__ = ("old", "present")

    def __init__(self) -> None:
        self.present: list[Pool] = []
        self.old: list[Pool] = []

    def cleanup(self) -> None:
        """A collection begins; the world is stopped.

        Go: sync/pool.go poolCleanup.
        """
        for pool in self.old:
            pool.victim = []
        for pool in self.present:
            pool.victim = pool.local
            pool.local = []
        self.old, self.present = self.present, []


def pools_of(sched: Sched) -> Pools:
    """The run's pools; the first call registers them with the collector.

    Go: runtime/mgc.go sync_runtime_registerPoolCleanup.
    """
    pools = sched.user.get("pools")
    if pools is None:
        pools = sched.user["pools"] = Pools()
        sched.pool_cleanup = pools.cleanup
    assert isinstance(pools, Pools)
    return pools


class Pool(Owned):
    """A set of items for reuse. `new()` makes one when `get` finds none; without it `get` gives None.

    `get` may give any of the items that were put, or none of them.
    Raises: TypeError if new is not callable.
    Go: sync/pool.go Pool.
    """

    __slots__ = ("local", "new", "victim")
    KIND = "pool"

    def __init__(self, new: Callable[[], Any] | None = None) -> None:
        if new is not None and not callable(new):
            raise TypeError(f"sync.Pool: new must be a function that makes an item, not {new!r}")
        Owned.__init__(self)
        self.new = new
        self.local: list[PoolLocal] = []  # by P; empty until the first put or get, and after a collection
        self.victim: list[PoolLocal] = []

    def put(self, x: Any) -> None:
        """Give an item to the pool; None is ignored.

        Raises: RuntimeError outside a goroutine.
        Go: sync/pool.go Pool.Put.
        """
        if x is None:
            return
        if self.quick(COST):
            g: G = getcurrent()  # type: ignore[assignment]
            self._put(g.m, g, x)
        else:
            self.step("sync.Pool.put", COST, OP_POOL, self._put, x)

    def get(self) -> Any:
        """Take an item from the pool, or a new one.

        Raises: what `new` raises; RuntimeError outside a goroutine.
        Go: sync/pool.go Pool.Get.
        """
        if self.quick(COST):
            g: G = getcurrent()  # type: ignore[assignment]
            x = self._get(g.m, g)
        else:
            x = self.step("sync.Pool.get", COST, OP_POOL, self._get)
        if x is None and self.new is not None:
            x = self.new()
        return x

    # What the operations do.

    def _put(self, m: M, g: G, x: Any) -> None:
        local = self.pin(m, g)
        where = "private"
        if local.private is None:
            local.private = x
        else:
            m.clock += SHARED_COST
            local.shared.append(x)
            where = "shared"
        if m.watch is not None:
            m.emit(POOL_PUT, self.event_name(), where)

    def _get(self, m: M, g: G) -> Any:
        local = self.pin(m, g)
        x, where = local.private, "private"
        local.private = None
        if x is None:
            m.clock += SHARED_COST
            if local.shared:
                x, where = local.shared.pop(), "shared"
            else:
                x, where = self.get_slow(m.p.id)
        if m.watch is not None:
            m.emit(POOL_GET, self.event_name(), "made" if x is None and self.new is not None else where)
        return x

    def get_slow(self, pid: int) -> tuple[Any, str]:
        """An item of another P, or of the victim; and which it was.

        Go: sync/pool.go getSlow.
        """
        size = len(self.local)
        for i in range(size):
            shared = self.local[(pid + i + 1) % size].shared
            if shared:
                return shared.popleft(), "stolen"
        size = len(self.victim)
        if pid >= size:
            return None, "none"
        mine = self.victim[pid]
        if mine.private is not None:
            x, mine.private = mine.private, None
            return x, "victim"
        for i in range(size):
            shared = self.victim[(pid + i) % size].shared
            if shared:
                return shared.popleft(), "victim"
        self.victim = []  # nobody need look again
        return None, "none"

    def pin(self, m: M, g: G) -> PoolLocal:
        """What the pool holds for m's P. When there are more Ps than when it was made, what it held is lost.

        Go: sync/pool.go pin.
        """
        pid = m.p.id
        if pid >= len(self.local):
            unbroken(m, g, self._pin_slow)
        return self.local[pid]

    def _pin_slow(self, m: M, g: G) -> None:
        """Make the places, and let the collector know.

        Go: sync/pool.go pinSlow.
        """
        places = [PoolLocal() for _ in range(m.sched.gomaxprocs)]
        if not self.local:
            pools_of(m.sched).present.append(self)
        self.local = places

    def check(self) -> None:
        """A pool with items is known to the collector, once."""
        if self.sched is None:
            return
        pools = pools_of(self.sched)
        if sum(pool is self for pool in pools.present) != bool(self.local):
            throw("check: pool is not among those that hold items")
        if self.victim and not any(pool is self for pool in pools.old):
            throw("check: pool is not among those that have a victim")

    def __repr__(self) -> str:
        count = sum((local.private is not None) + len(local.shared) for local in self.local)
        return f"<sync.Pool, {count} items>"


__all__ = ["Pool"]
