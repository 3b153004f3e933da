"""Channels that were made in a synctest bubble: they are its own, and nobody else may use them.

They are of classes of their own, so that other channels never ask. A channel becomes one right after it was made, when
its maker is in a bubble.

Go: runtime/chan.go chansend, chanrecv, closechan; runtime/time.go maybeRunChan.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from greenlet import getcurrent

if TYPE_CHECKING:
    from ..sched.m import M


class _Receiving:
    """A channel that a bubble's own goroutines receive from."""

    __slots__ = ()

    def recv(self: Any) -> Any:
        """See chan.recv.

        Raises: FatalError "receive on synctest channel from outside bubble", beside what chan.recv raises.
        """
        check_inside(self, "receive on")
        return super().recv()  # type: ignore[misc]

    def recv_(self: Any) -> Any:
        """See chan.recv_: it calls the one above. A select sees by it that this is no plain channel."""
        return super().recv_()  # type: ignore[misc]


class Bubbled(_Receiving):
    """A channel that a bubble's own goroutines send to and close as well."""

    __slots__ = ()

    def send(self: Any, value: Any) -> None:
        """See chan.send.

        Raises: FatalError "send on synctest channel from outside bubble", beside what chan.send raises.
        """
        check_inside(self, "send on")
        super().send(value)  # type: ignore[misc]

    def close(self: Any) -> None:
        """See chan.close.

        Raises: FatalError "close of synctest channel from outside bubble", beside what chan.close raises.
        """
        check_inside(self, "close of")
        super().close()  # type: ignore[misc]


class BubbledTimer(_Receiving):
    """A timer's channel: it goes by the bubble's clock."""

    __slots__ = ()

    def look(self: Any, m: M) -> None:
        """Run the timer if it is due and in no heap."""
        self.bubble.look(m, self.timer)

    def ready(self: Any, op: int, g: Any) -> bool:
        """Would a receive complete now?"""
        timer = self.timer
        return bool(self.buf) or (timer.pp is None and 0 < timer.when_ns <= self.bubble.now_ns)


def check_inside(ch: Any, what: str) -> None:
    """End the program if the running goroutine is not of the channel's bubble."""
    g: Any = getcurrent()
    m = getattr(g, "m", None)
    if m is not None and g.bubble is not ch.bubble:
        m.sched.fatal(m, g, f"{what} synctest channel from outside bubble")


@cache
def bubbled(kind: Any) -> Any:
    """The class of a bubble's channels of that kind: the same layout, so that a channel can change to it."""
    return type(kind.__name__, (kind.inside, kind), {"__slots__": (), "__module__": kind.__module__})
