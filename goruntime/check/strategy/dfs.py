"""dfs: every schedule, depth first, and none that differs from another only in the order of steps that commute.

The tree of schedules is never stored, only the path to where the search is. A schedule is run from the start: the
steps of the path are forced, below its end the first answer is taken everywhere. Afterwards the last node of the path
that has an answer left takes its next one.

Sleep sets (Godefroid). At a node whose answers a, b are tried in this order, everything that begins with b a and in
which they commute was already seen below a. So below b, a is asleep until a step is taken that a does not commute
with. When everybody who could step is asleep, the schedule is abandoned: it is equal to one that was run. Each class
of equal schedules is run to its end exactly once, so the final states are all reached and the verdict can be `proved`.

Two steps commute if neither writes what the other touches (`Actor.mask`): operations on different channels, an
operation and a segment of plain Python. Segments all write MEMORY, so their order is always tried. What a segment
touches is complete only when it has ended: where it comes to an operation on a channel or to a wait, it may enable
others there, and counts as writing it.

With a bound on preemptions nothing is left asleep (a bound cuts equal schedules differently), a schedule that would
exceed it is not begun, and the verdict is never `proved` unless the bound cut nothing.
"""

from __future__ import annotations

from ...sched.ops import OP_GOSCHED, OP_NAMES
from ..actor import OPERATION, Actor, conflicts
from .protocol import NotDeterministic


class Node:
    """A point of the path at which there was more than one answer."""

    __slots__ = ("index", "masks", "preemptions", "sleep", "step", "tokens")

    def __init__(self, step: int, tokens: list[int], masks: list[int], sleep: dict[int, int], preemptions: int) -> None:
        self.step = step
        self.tokens = tokens
        self.masks = masks  # of each answer; empty for the case of a select
        self.sleep = sleep
        self.preemptions = preemptions  # before it
        self.index = 0


class DepthFirst:
    """All schedules of one program, one after another."""

    sees_all = True

    def __init__(self, preemption_bound: int | None = None) -> None:
        self.bound = preemption_bound
        self.was_cut = False  # the bound left something out
        self.nodes: list[Node] = []
        self.path: list[int] = []  # the token of every step on the way to the last node, and its present answer
        self.has_begun = False

    def begin(self) -> bool:
        """Go on to the next schedule; False when every one was run."""
        if self.has_begun and not self._advance():
            return False
        self.has_begun = True
        self.step = 0
        self.depth = 0  # nodes of the path that were passed
        self.sleep: dict[int, int] = {}
        self.last: Actor | None = None  # who took the last step
        self.last_mask = 0
        self.last_node: Node | None = None
        self.preemptions = 0
        return True

    def _advance(self) -> bool:
        nodes = self.nodes
        while nodes and nodes[-1].index + 1 >= len(nodes[-1].tokens):
            nodes.pop()
        if not nodes:
            return False
        node = nodes[-1]
        node.index += 1
        del self.path[node.step :]
        self.path.append(node.tokens[node.index])
        return True

    # The questions.

    def pick(self, options: list[Actor]) -> int:
        """Whose step is next."""
        step = self.step
        self.step = step + 1
        self._note_arrival()
        if step < len(self.path):
            return self._follow(step, options)
        return self._explore(step, options)

    def _note_arrival(self) -> None:
        """The last step is over: where it has led belongs to what it touched."""
        last = self.last
        if last is None:
            return
        mask = self.last_mask | last.touched
        last.touched = 0
        if last.state == OPERATION:
            mask |= last.arrival_mask()
        if self.last_node is not None:
            self.last_node.masks[self.last_node.index] = mask
        if self.sleep:
            against = conflicts(mask)
            self.sleep = {token: other for token, other in self.sleep.items() if not other & against}

    def _follow(self, step: int, options: list[Actor]) -> int:
        """Above the end of the path the answer is known."""
        tokens = [actor.token() for actor in options]
        wanted = self.path[step]
        node = None
        if self.depth < len(self.nodes) and self.nodes[self.depth].step == step:
            node = self.nodes[self.depth]
            self.depth += 1
            if any(token not in tokens for token in node.tokens):
                raise NotDeterministic(self._said(step, options))
        if wanted not in tokens:
            raise NotDeterministic(self._said(step, options))
        index = tokens.index(wanted)
        self._take(options[index], node)
        if node is not None:
            if self.bound is not None:
                self.preemptions = node.preemptions + self._cost(options, index)
            if step + 1 == len(self.path):
                self._fall_asleep(node)
        return index

    def _said(self, step: int, options: list[Actor]) -> str:
        can = ", ".join(f"{actor.name.text} {OP_NAMES[actor.op]}" for actor in options)
        return f"after the same {step} steps as before it could go on differently: now with {can}"

    def _explore(self, step: int, options: list[Actor]) -> int:
        """Below the end of the path the first answer is taken, unless it is asleep."""
        tokens = [actor.token() for actor in options]
        sleep = self.sleep
        awake = [index for index, token in enumerate(tokens) if token not in sleep] if sleep else range(len(tokens))
        if self.bound is not None and self.preemptions >= self.bound:
            free = [index for index in awake if not self._cost(options, index)]
            self.was_cut |= len(free) < len(awake)
            awake = free
        if not awake:
            return -1
        index = awake[0]
        node = None
        if len(awake) > 1:
            masks = [options[i].mask() for i in awake]
            node = Node(step, [tokens[i] for i in awake], masks, sleep, self.preemptions)
            self.nodes.append(node)
            self.depth += 1
        if self.bound is not None:
            self.preemptions += self._cost(options, index)
        self.path.append(tokens[index])
        self._take(options[index], node)
        return index

    def _take(self, actor: Actor, node: Node | None) -> None:
        self.last = actor
        self.last_mask = actor.mask()
        self.last_node = node

    def _fall_asleep(self, node: Node) -> None:
        """At the end of the path: what was tried there before is asleep below, with what was asleep at the node."""
        if self.bound is None:
            asleep = dict(node.sleep)
            asleep.update(zip(node.tokens[: node.index], node.masks, strict=False))
            self.sleep = asleep

    def _cost(self, options: list[Actor], index: int) -> int:
        """One preemption if somebody else goes on than the first, who could have and did not yield."""
        first = options[0]
        return int(index > 0 and first is self.last and first.op != OP_GOSCHED)

    def pick_case(self, indices: list[int]) -> int:
        """Which case."""
        step = self.step
        self.step = step + 1
        if step < len(self.path):
            index = self.path[step]
            if index not in indices:
                raise NotDeterministic(
                    f"after the same {step} steps as before other cases of a select were ready: {indices}"
                )
            if self.depth < len(self.nodes) and self.nodes[self.depth].step == step:
                if step + 1 == len(self.path):
                    self.sleep = self.nodes[self.depth].sleep
                self.depth += 1
            return index
        self.nodes.append(Node(step, list(indices), [], self.sleep, self.preemptions))
        self.depth += 1
        self.path.append(indices[0])
        return indices[0]
