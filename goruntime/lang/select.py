"""select.

Three passes, as in Go: look at all cases and take one of those that are ready, each as likely as the others; else
queue on every channel and park; woken, leave all other queues. Which of the ready cases is taken is one choice, drawn
from `choose`, so it can be replayed, and a controller can force any.

Differs: Go shuffles the cases and takes the first that is ready, which gives the same odds.
Go: runtime/select.go selectgo.
"""

from __future__ import annotations

from types import MethodType
from typing import TYPE_CHECKING, Any, Final, NoReturn

from greenlet import getcurrent

from ..base.choose import SELECT
from ..base.events import CHAN_RECV, CHAN_SEND, SELECT_DONE
from ..kernel import costs
from ..sched import waitreason
from ..sched.g import G
from ..sched.m import M
from ..sched.ops import OP_RECV, OP_SELECT, OP_SEND
from ..sched.park import park, ready, struck
from ..sched.preempt import safepoint
from ..sched.sudog import Sudog, release_sudog, shed_sudog, take_sudog
from .bubblechan import check_inside
from .chan import RecvOnly, SendOnly, block_for_ever, chan, nilchan
from .error import SURVIVABLE, GoPlainError
from .owner import belong, outside, unbroken

if TYPE_CHECKING:
    from ..sched.bubble import Bubble

MAX_CASES = 1 << 16
TWO_COST = costs.SELECT_TWO
CASE_COST = costs.SELECT_CASE
# A case in the small: what it does, to which channel, with which value.
RECV, RECV_OK, SEND = range(3)
Case = tuple[int, chan[Any], Any]

_RECV = chan.recv
_RECV_OK = chan.recv_


class _Default:
    """The default case."""

    def __repr__(self) -> str:
        return "default"

    def __reduce__(self) -> str:
        """Copied or pickled it stays itself."""
        return "default"


default: Final = _Default()


class CaseList(list[tuple[int, Case]]):
    """The live cases of one select, as (index, case): what a safepoint and a controller see as its object."""

    ns = 0  # each channel has its own clock
    has_default = False

    @property
    def bubble(self) -> Bubble | None:
        """The synctest bubble whose own all channels are; None when one is not."""
        bubble = self[0][1][1].bubble
        return bubble if all(ch.bubble is bubble for _, (_, ch, _) in self) else None

    def ready(self, op: int, g: G) -> bool:
        """Would select complete now?"""
        return self.has_default or bool(self.ready_indices(g))

    def ready_indices(self, g: G) -> list[int]:
        """The cases that would complete now."""
        return [index for index, (kind, ch, _) in self if ch.ready(OP_SEND if kind == SEND else OP_RECV, g)]

    def block(self, m: M) -> None:
        """Held before its receives, the goroutine already waits: the timers of its channels may fire."""
        for _, (kind, ch, _) in self:
            if kind != SEND:
                ch.block(m)

    def unblock(self, m: M) -> None:
        """It no longer waits."""
        for _, (kind, ch, _) in self:
            if kind != SEND:
                ch.unblock(m)

    def event_name(self) -> str:
        """For display in events: the channels it waits on."""
        return ", ".join(sorted({ch.event_name() for _, (_, ch, _) in self}))


def select(*cases: Any) -> tuple[int, Any]:  # hot: select
    """Wait until one of the cases can go on, do it, and return (index, value).

    A case is `ch.recv`, `ch.recv_`, `(ch.send, value)` or `default`; one on nilchan is never ready. value is what
    recv or recv_ gave, None for a send and for default. Without cases it blocks for ever.
    Raises: TypeError for anything else as a case; Panic "send on closed channel"; RuntimeError outside a goroutine.
    Go: runtime/select.go selectgo.
    """
    g: G = getcurrent()  # type: ignore[assignment]
    try:
        m = g.m
        m.clock = clock = m.clock + TWO_COST
    except AttributeError:
        raise outside("select") from None
    if clock >= m.horizon:
        m, done = _at_safepoint(m, g, cases)
        if done is not None:
            return done
        clock = m.clock
    sched = m.sched
    default_index = taken = index = -1
    ready_count = 1
    for case in cases:
        index += 1
        if type(case) is MethodType and ((fn := case.__func__) is _RECV or fn is _RECV_OK):
            # Unoptimised form: the last branch. A receive from a plain channel is nearly every case.
            ch: Any = case.__self__
            if ch.sched is not sched:
                belong(ch, sched)
            if not (ch.buf or ch.closed or (ch.sendq.first is not None and ch.sendq.is_waiting())):
                continue
        elif case is default:
            if default_index >= 0:
                raise TypeError("select: multiple defaults")
            default_index = index
            continue
        else:
            kind, ch, _ = decode(m, case, cases)
            ch.look(m)
            if not ch.ready(OP_SEND if kind == SEND else OP_RECV, g):
                continue
            fn = None
        # Each further ready case takes the place of the one chosen so far with the odds that make all equally likely.
        if taken >= 0:
            ready_count += 1
            if m.choose(SELECT, ready_count):
                continue
        taken, taken_ch, taken_fn = index, ch, fn
    if index > 1:
        m.clock = clock = m.clock + CASE_COST * (index - 1)
        check_count(cases)
    try:
        if taken < 0:
            if default_index < 0:
                return _wait(m, g, cases)
            if m.watch is not None:
                m.emit(SELECT_DONE, default_index, len(cases))
            return default_index, None
        if taken_fn is _RECV and m.watch is None and taken_ch.buf and taken_ch.sendq.first is None:
            if taken_ch.ns > clock:
                m.clock = taken_ch.ns
            else:
                taken_ch.ns = clock
            return taken, taken_ch.buf.popleft()
        return _take(m, cases, taken)  # the unoptimised form of the branch above
    except SURVIVABLE:
        raise
    except BaseException as exc:
        struck(m, g, exc)
        raise


def _at_safepoint(m: M, g: G, cases: tuple[Any, ...]) -> tuple[M, tuple[int, Any] | None]:
    """Let whoever asks have the CPU: (the M that g is on now, None), or with the result if somebody else settled it."""
    live = live_cases(m, cases)
    if m.sched.controller is not None:
        live.block(m)
    following = unbroken(m, g, safepoint, OP_SELECT, live)
    if following is None:
        return m, (-1, None)
    controller = following.sched.controller
    if controller is None:
        return following, None
    live.unblock(following)
    return following, controller.perform(g, _select_controlled, g, cases, live)


def _select_controlled(g: G, cases: tuple[Any, ...], live: CaseList) -> tuple[int, Any]:
    """The rest of `select` under a controller: which of the ready cases is taken is one question."""
    m = g.m
    for _, (_, ch, _) in live:
        ch.look(m)
    ready_indices = live.ready_indices(g)
    if ready_indices:
        assert m.sched.controller is not None
        return _take(m, cases, m.sched.controller.choose_case(live, ready_indices))
    if live.has_default:
        index = cases.index(default)
        if m.watch is not None:
            m.emit(SELECT_DONE, index, len(cases))
        return index, None
    return _wait(m, g, cases)


def check_count(cases: tuple[Any, ...]) -> None:
    """Raises: ValueError for more cases than Go's compiler takes."""
    if len(cases) > MAX_CASES:
        raise ValueError("select: too many cases (maximum 65536)")


def live_cases(m: M, cases: tuple[Any, ...]) -> CaseList:
    """The cases that can ever be ready, decoded."""
    check_count(cases)
    live = CaseList()
    for index, case in enumerate(cases):
        if case is default:
            if live.has_default:
                raise TypeError("select: multiple defaults")
            live.has_default = True
            continue
        decoded = decode(m, case, cases)
        if decoded[1] is not nilchan:
            live.append((index, decoded))
    return live


def decode(m: M, case: Any, cases: tuple[Any, ...] = ()) -> Case:  # noqa: RET503  _refuse never returns
    """What one case, of cases, says: `ch.recv`, `ch.recv_` or `(ch.send, value)`.

    Raises: TypeError for anything else; FatalError for a channel of a synctest bubble that is not the goroutine's.
    """
    method, value = case, None
    is_send = type(case) is tuple and len(case) == 2
    if is_send:
        method, value = case
    ch = getattr(method, "__self__", None)
    name = getattr(method, "__name__", "")
    if isinstance(ch, chan):
        if ch.sched is not m.sched and ch is not nilchan:
            belong(ch, m.sched)
        if ch.bubble is not None:
            is_choice = len(cases) - (default in cases) > 1  # else it is the plain operation, as Go's compiler makes it
            check_inside(ch, "select on" if is_choice else "send on" if is_send else "receive on")
        if is_send and name == "send":
            return SEND, ch, ch.accept(value)
        if not is_send and name in ("recv", "recv_"):
            return (RECV if name == "recv" else RECV_OK), ch, None
        if not is_send and name == "send":
            raise TypeError("select: a send case is (ch.send, value)")
    _refuse(case)


def _refuse(case: Any) -> NoReturn:
    shown = "the channel itself" if isinstance(case, (chan, SendOnly, RecvOnly)) else repr(case)
    raise TypeError(f"select: a case is ch.recv, ch.recv_, (ch.send, value) or default, not {shown}")


def _take(m: M, cases: tuple[Any, ...], index: int) -> tuple[int, Any]:
    """Do a case that is ready."""
    if m.watch is not None:
        m.emit(SELECT_DONE, index, len(cases))
    case = cases[index]
    if type(case) is tuple:
        _, ch, value = decode(m, case)
        if ch.closed:
            raise GoPlainError("send on closed channel")
        _send(m, ch, value)
        return index, None
    ch = case.__self__
    if ch.ns > m.clock:
        m.clock = ch.ns
    else:
        ch.ns = m.clock
    value, ok = _recv(m, ch)
    return (index, value) if case.__name__ == "recv" else (index, (value, ok))


def _send(m: M, ch: chan[Any], value: Any) -> None:
    """Send where it does not block."""
    if ch.ns > m.clock:
        m.clock = ch.ns
    else:
        ch.ns = m.clock
    sg = ch.recvq.dequeue()
    if sg is None:
        ch.buf.append(value)
        if m.watch is not None:
            m.emit(CHAN_SEND, ch.event_name(), "buffered", 0)
        return
    sg.elem = value
    sg.success = True
    if m.watch is not None:
        m.emit(CHAN_SEND, ch.event_name(), "handed over", sg.g.goid)
    ready(m, sg.g, ch)


def _recv(m: M, ch: chan[Any]) -> tuple[Any, bool]:
    """Receive where it does not block: from a waiting sender, the buffer, or the close."""
    sg = ch.sendq.dequeue()
    if sg is not None:
        value = sg.elem
        sg.elem = None
        if ch.size:
            ch.buf.append(value)
            value = ch.buf.popleft()
        sg.success = True
        if m.watch is not None:
            m.emit(CHAN_RECV, ch.event_name(), "from a sender", sg.g.goid)
        ready(m, sg.g, ch)
        return value, True
    if ch.buf:
        if m.watch is not None:
            m.emit(CHAN_RECV, ch.event_name(), "from the buffer", 0)
        return ch.buf.popleft(), True
    return ch.zero, False


def _wait_for_one(m: M, case: Any) -> tuple[int, Any]:
    """A select of a single case is the plain operation, as Go's compiler makes it."""
    kind, ch, value = decode(m, case)
    if kind == SEND:
        ch.send(value)
        return 0, None
    return 0, ch.recv() if kind == RECV else ch.recv_()


def _wait(m: M, g: G, cases: tuple[Any, ...]) -> tuple[int, Any]:
    """Passes 2 and 3: queue on every channel, park, and leave the queues of the cases that lost.

    Go: runtime/select.go selectgo, pass 2 and 3.
    """
    if len(cases) == 1:
        return _wait_for_one(m, cases[0])
    live = live_cases(m, cases)
    if not live:
        block_for_ever(m, g, waitreason.SELECT if cases else waitreason.SELECT_NO_CASES)
    waiting: list[tuple[Sudog, Case]] = []
    shed_sudog(m, g)
    g.select_done = False
    g.param = None
    for index, case in live:
        kind, ch, value = case
        sg = take_sudog(m, g)
        sg.is_select = True
        sg.case = index
        if kind == SEND:
            sg.elem = value
            ch.sendq.enqueue(sg)
        else:
            ch.recvq.enqueue(sg)
            ch.block(m)
        if ch.ns < m.clock:
            ch.ns = m.clock  # who meets g there goes on no earlier than g came
        waiting.append((sg, case))
    park(m, g, waitreason.SELECT, live)
    m = g.m
    winner: Sudog = g.param
    g.param = None
    for sg, (kind, ch, _) in waiting:
        if kind != SEND:
            ch.unblock(m)
        if sg is winner:
            won_kind, won = kind, ch
        elif kind == SEND:
            ch.sendq.remove(sg)
        else:
            ch.recvq.remove(sg)
    value, success, index = winner.elem, winner.success, winner.case
    for sg, _ in waiting:
        sg.elem = None
        sg.is_select = False
        release_sudog(m, sg)
    if m.watch is not None:
        m.emit(SELECT_DONE, index, len(live))
    if won_kind == SEND:
        if not success:
            raise GoPlainError("send on closed channel")
        return index, None
    if not success:
        value = won.zero
    return (index, value) if won_kind == RECV else (index, (value, success))
