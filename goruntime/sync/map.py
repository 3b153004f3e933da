"""Map: a dict that goroutines share without a lock.

Each operation is one step. A `range` is not: it visits each key that was there when it began and still is when its turn
comes, once, in an order of its own that has nothing to do with that of the stores.

Differs: keys are equal as in a dict, and values as by `==`; Go's must also be of the same type.
Differs: a key that is stored while a `range` runs is not visited; Go leaves it open.
Go: sync/map.go Map; internal/sync/hashtriemap.go HashTrieMap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..base.choose import MAP_ITERATION
from ..base.events import MAP_ACCESS
from ..kernel import costs
from ..lang.owner import Owned
from ..sched.ops import OP_MAP_LOAD, OP_MAP_STORE

if TYPE_CHECKING:
    from ..sched.g import G
    from ..sched.m import M

LOAD_COST = costs.MAP_LOAD
STORE_COST = costs.MAP_STORE
DELETE_COST = costs.MAP_DELETE
RANGE_COST = costs.MAP_RANGE_KEY
SEEDS = 1 << 24  # so many orders


class Entry:
    """A key's value, and the number of the key: how many were stored before it."""

    __slots__ = ("number", "value")

    def __init__(self, value: Any, number: int) -> None:
        self.value = value
        self.number = number


class Map(Owned):
    """A map of any keys to any values, for concurrent use.

    Raises: TypeError from every operation whose key cannot be hashed; and what the key's own `==` raises.
    Go: sync/map.go Map.
    """

    __slots__ = ("entries", "order_seed", "stored")
    KIND = "map"

    def __init__(self) -> None:
        Owned.__init__(self)
        self.entries: dict[Any, Entry] = {}
        self.stored = 0  # keys so far
        self.order_seed = -1  # drawn by the first range

    def load(self, key: Any) -> tuple[Any, bool]:
        """The value of key, and whether there is one; (None, False) if not.

        Raises: RuntimeError outside a goroutine.
        Go: sync/map.go Map.Load.
        """
        return self._do("load", LOAD_COST, OP_MAP_LOAD, self._load, key) or (None, False)

    def store(self, key: Any, value: Any) -> None:
        """Set the value of key.

        Raises: RuntimeError outside a goroutine.
        Go: sync/map.go Map.Store.
        """
        self._do("store", STORE_COST, OP_MAP_STORE, self._swap, key, value)

    def load_or_store(self, key: Any, value: Any) -> tuple[Any, bool]:
        """The value of key, and True if it was there already; else it is value from now on.

        Raises: RuntimeError outside a goroutine.
        Go: sync/map.go Map.LoadOrStore.
        """
        return self._do("load_or_store", LOAD_COST, OP_MAP_STORE, self._load_or_store, key, value) or (value, False)

    def load_and_delete(self, key: Any) -> tuple[Any, bool]:
        """Delete key; its last value, and whether there was one.

        Raises: RuntimeError outside a goroutine.
        Go: sync/map.go Map.LoadAndDelete.
        """
        return self._do("load_and_delete", DELETE_COST, OP_MAP_STORE, self._delete, key) or (None, False)

    def delete(self, key: Any) -> None:
        """Delete key.

        Raises: RuntimeError outside a goroutine.
        Go: sync/map.go Map.Delete.
        """
        self._do("delete", DELETE_COST, OP_MAP_STORE, self._delete, key)

    def swap(self, key: Any, value: Any) -> tuple[Any, bool]:
        """Set the value of key; the one before, and whether there was one.

        Raises: RuntimeError outside a goroutine.
        Go: sync/map.go Map.Swap.
        """
        return self._do("swap", STORE_COST, OP_MAP_STORE, self._swap, key, value) or (None, False)

    def compare_and_swap(self, key: Any, old: Any, new: Any) -> bool:
        """Set the value of key to new if it is equal to old; says whether it did. False if key has none.

        Raises: what `==` raises; RuntimeError outside a goroutine.
        Go: sync/map.go Map.CompareAndSwap.
        """
        while True:
            seen, is_found = self.load(key)
            if not is_found or not (seen is old or seen == old):
                return False
            # `==` may be the user's code, in which others may have come by.
            did = self._do("compare_and_swap", STORE_COST, OP_MAP_STORE, self._replace, key, seen, new)
            if did is None or did[1]:
                return did is not None

    def compare_and_delete(self, key: Any, old: Any) -> bool:
        """Delete key if its value is equal to old; says whether it did. False if key has none.

        Raises: what `==` raises; RuntimeError outside a goroutine.
        Go: sync/map.go Map.CompareAndDelete.
        """
        while True:
            seen, is_found = self.load(key)
            if not is_found or not (seen is old or seen == old):
                return False
            did = self._do("compare_and_delete", DELETE_COST, OP_MAP_STORE, self._remove, key, seen)
            if did is None or did[1]:
                return did is not None

    def range(self, f: Callable[[Any, Any], Any]) -> None:
        """Call f(key, value) for each key, until it returns False.

        No lock is held: f may use this map.
        Raises: TypeError if f is not callable; what f raises; RuntimeError outside a goroutine.
        Go: sync/map.go Map.Range.
        """
        if not callable(f):
            raise TypeError(f"sync.Map.range: {f!r} is not callable")
        for key in self.step("sync.Map.range", LOAD_COST, OP_MAP_LOAD, self._in_order) or ():
            value, is_found = self._do("range", RANGE_COST, OP_MAP_LOAD, self._load, key) or (None, False)
            if is_found and f(key, value) is False:
                return

    def clear(self) -> None:
        """Delete every key.

        Raises: RuntimeError outside a goroutine.
        Go: sync/map.go Map.Clear.
        """
        self.step("sync.Map.clear", DELETE_COST, OP_MAP_STORE, self._clear)

    # What the operations do.

    def _do(self, name: str, cost: int, op: int, change: Callable[..., tuple[Any, bool]], *args: Any) -> Any:
        """One operation; None in the `finally` of an abandoned goroutine. What the user's `==` raises is theirs."""
        done = self.step(f"sync.Map.{name}", cost, op, self._perform, name, change, args)
        if isinstance(done, Exception):
            try:
                raise done
            finally:
                del done
        return done

    def _perform(
        self, m: M, g: G, name: str, change: Callable[..., tuple[Any, bool]], args: tuple[Any, ...]
    ) -> tuple[Any, bool] | Exception:
        try:
            done = change(*args)
        except RecursionError:
            raise
        except Exception as exc:  # noqa: BLE001  the key cannot be hashed or compared, and nothing was changed
            return exc
        m = g.m
        if m.watch is not None:
            m.emit(MAP_ACCESS, self.event_name(), name, done[1])
        return done

    def _load(self, key: Any) -> tuple[Any, bool]:
        entry = self.entries.get(key)
        return (None, False) if entry is None else (entry.value, True)

    def _swap(self, key: Any, value: Any) -> tuple[Any, bool]:
        entry = self.entries.get(key)
        if entry is None:
            entry = self.entries.setdefault(key, self._entry(value))
            return None, False
        old, entry.value = entry.value, value
        return old, True

    def _load_or_store(self, key: Any, value: Any) -> tuple[Any, bool]:
        made = self._entry(value)
        entry = self.entries.setdefault(key, made)
        return entry.value, entry is not made

    def _entry(self, value: Any) -> Entry:
        self.stored += 1
        return Entry(value, self.stored)

    def _delete(self, key: Any) -> tuple[Any, bool]:
        entry = self.entries.get(key)  # an empty dict's pop does not ask for the key's hash
        if entry is not None:
            entry = self.entries.pop(key, None)
        return (None, False) if entry is None else (entry.value, True)

    def _replace(self, key: Any, seen: Any, new: Any) -> tuple[Any, bool]:
        entry = self.entries.get(key)
        if entry is None or entry.value is not seen:
            return None, False
        entry.value = new
        return seen, True

    def _remove(self, key: Any, seen: Any) -> tuple[Any, bool]:
        entry = self.entries.get(key)
        if entry is None or entry.value is not seen:
            return None, False
        del self.entries[key]
        return seen, True

    def _clear(self, m: M, g: G) -> None:
        self.entries = {}
        if m.watch is not None:
            m.emit(MAP_ACCESS, self.event_name(), "clear", True)

    def _in_order(self, m: M, g: G) -> list[Any]:
        """The keys in this map's order, which is drawn once, as the seed of Go's hash is."""
        if self.order_seed < 0:
            self.order_seed = m.choose(MAP_ITERATION, SEEDS)
        seed = self.order_seed
        keys = [(scrambled(entry.number ^ seed), key) for key, entry in self.entries.items()]
        keys.sort(key=lambda item: item[0])
        return [key for _, key in keys]

    def __repr__(self) -> str:
        return f"<sync.Map, {len(self.entries)} keys>"


def scrambled(number: int) -> int:
    """A permutation of the integers of 64 bits that leaves no order: the end of SplitMix64."""
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    number = (number ^ number >> 27) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
    return number ^ number >> 31


__all__ = ["Map"]
