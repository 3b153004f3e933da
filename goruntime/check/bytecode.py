"""Following bytecode from one operation to the next: what does a segment of plain Python do?

`Code.needs` answers for one place in one code object: None, if it touches something or cannot be followed; else what
must hold of the values at hand (`Need`) for it to touch nothing. Names and layouts of opcodes differ between versions
of Python; what is not in the tables here cannot be followed.
"""

from __future__ import annotations

import dis
import sys
from types import CodeType
from typing import Any

# Methods of our objects that come to a point before they touch anything, and call nothing of the user's afterwards.
METHODS = frozenset(
    "send recv recv_ close lock unlock try_lock rlock runlock try_rlock add done wait go signal broadcast"
    " load store swap compare_and_swap and_ or_ __enter__ __exit__".split()
)
MAX_STEPS = 400  # instructions followed before giving up

IGNORED = frozenset("NOP RESUME CACHE PRECALL KW_NAMES COPY_FREE_VARS MAKE_CELL EXTENDED_ARG JUMP_FORWARD".split())
LOADS = frozenset("LOAD_FAST LOAD_FAST_CHECK LOAD_FAST_BORROW".split())
DOUBLE_LOADS = frozenset("LOAD_FAST_LOAD_FAST LOAD_FAST_BORROW_LOAD_FAST_BORROW".split())
CONSTANTS = frozenset("LOAD_CONST LOAD_SMALL_INT LOAD_CONST_IMMORTAL".split())
BACKWARD = frozenset("JUMP_BACKWARD JUMP_BACKWARD_NO_INTERRUPT".split())
STORES = frozenset("STORE_DEREF DELETE_DEREF".split())
JUMPS = frozenset((*dis.hasjrel, *dis.hasjabs))
MAKES = frozenset("BUILD_TUPLE BUILD_LIST MAKE_FUNCTION SET_FUNCTION_ATTRIBUTE".split())
# What evaluates an argument: how many values it takes; each leaves one.
TAKES = {
    "BINARY_OP": 2, "BINARY_SUBSCR": 2, "COMPARE_OP": 2, "IS_OP": 2, "CONTAINS_OP": 2, "UNARY_NEGATIVE": 1,
    "UNARY_NOT": 1, "UNARY_INVERT": 1, "FORMAT_SIMPLE": 1, "CONVERT_VALUE": 1,
}  # fmt: skip

# A symbol: what is known of a value on the stack. ("fast"|"cell"|"global", name), ("attr", symbol, name), or one of
NULL: tuple[Any, ...] = ("null",)
VALUE: tuple[Any, ...] = ("value",)  # something that only this goroutine has, or a constant
RANGE: tuple[Any, ...] = ("range",)
RANGE_ITERATOR: tuple[Any, ...] = ("range iterator",)
Symbol = tuple[Any, ...]
Need = tuple[str, str, str]  # (what must hold, name, attribute)


class NotQuietError(Exception):
    """The path touches something, or cannot be followed."""


class Code:
    """One code object: its instructions, and where they can be entered."""

    def __init__(self, code: CodeType, constant_cells: frozenset[str]) -> None:
        self.code = code
        self.constant_cells = constant_cells
        self.instructions = [item for item in dis.get_instructions(code) if item.opname != "CACHE"]
        self.index: dict[int, int] = {}
        for index, item in enumerate(self.instructions):
            following = self.instructions[index + 1].offset if index + 1 < len(self.instructions) else item.offset + 2
            for offset in range(item.offset, following, 2):  # a call that is on its way may stand at one of its caches
                self.index[offset] = index
        self.stored: set[str] = set()  # local variables that are assigned somewhere
        for item in self.instructions:
            if item.opname.startswith(("STORE_FAST", "DELETE_FAST")):
                self.stored.update((item.argval,) if isinstance(item.argval, str) else item.argval)
        self.answers: dict[int, frozenset[Need] | None] = {}

    def needs(self, lasti: int) -> frozenset[Need] | None:
        """What must hold for the segment to be quiet that begins after the instruction at lasti; None: it is not.

        -1: the segment that begins when the function is entered.
        """
        if lasti not in self.answers:
            self.answers[lasti] = self._needs(lasti)
        return self.answers[lasti]

    def _needs(self, lasti: int) -> frozenset[Need] | None:
        walk = Walk(self)
        try:
            if lasti < 0:
                walk.follow(0, [])
            else:
                index = self.index[lasti]
                item = self.instructions[index]
                if item.opname == "PRECALL":  # 3.11, once it has specialised a call of a builtin
                    index += 1
                    item = self.instructions[index]
                if item.opname.startswith("CALL"):
                    walk.needs.add(self.call_at(index))
                    walk.follow(index + 1, [VALUE])
                elif item.opname == "BEFORE_WITH":
                    walk.follow(index + 1, [self.manager_at(index), VALUE])
                elif item.opname == "FOR_ITER":
                    iterator = self.iterator_at(index)
                    if iterator[0] != "iterator":
                        return None
                    walk.need_object(iterator[1], "recv_")
                    walk.follow(index + 1, [iterator, VALUE])
                    walk.follow(self.index[item.argval], [iterator, VALUE])
                else:
                    return None
        except (NotQuietError, KeyError):
            return None
        return frozenset(walk.needs)

    def call_at(self, index: int) -> Need:
        """What must hold for the call at index to be one of an operation, and not of something that calls it again.

        `shared.extend(ch)` receives too, and then goes on to change what is shared.
        """
        item = self.instructions[index]
        if self.leaves_with(index):
            return ("fact", "", "")
        stack = self.stack_before(index)
        depth = (item.arg or 0) + (item.opname == "CALL_KW") + 2
        if item.opname not in ("CALL", "CALL_KW") or len(stack) < depth:
            raise NotQuietError
        callee = next(symbol for symbol in stack[len(stack) - depth :] if symbol != NULL)
        if callee[0] == "attr" and callee[2] in METHODS:
            return ("fact", "", "")
        if callee[0] == "attr" and callee[1][0] == "global":
            return ("call", callee[1][1], callee[2])
        if callee[0] == "global":
            return ("length" if callee[1] == "len" else "call", callee[1], "")
        raise NotQuietError

    def leaves_with(self, index: int) -> bool:
        """Is the call at index that of `__exit__` at the end of a `with` block? Nothing else is called like that."""
        before = [item for item in self.instructions[:index] if item.opname not in IGNORED][-3:]
        return self.instructions[index].arg == 2 and all(
            item.opname in CONSTANTS and item.argval is None for item in before
        )

    def manager_at(self, index: int) -> Symbol:
        """What BEFORE_WITH leaves below the value of the block: `__exit__` of what it took."""
        loaded = next(item for item in reversed(self.instructions[:index]) if item.opname not in IGNORED)
        if loaded.opname in LOADS:
            return ("attr", ("fast", loaded.argval), "__exit__")
        if loaded.opname == "LOAD_DEREF" and loaded.argval in self.constant_cells:
            return ("attr", ("cell", loaded.argval), "__exit__")
        return ("unknown",)

    def stack_before(self, index: int) -> list[Symbol]:
        """The top of the stack before an instruction, as far as it is made by straight code."""
        stack: list[Symbol] = []
        for item in self.instructions[:index]:
            name = item.opname
            if item.is_jump_target or item.opcode in JUMPS:
                stack = []
            if name in IGNORED or item.opcode in JUMPS:
                continue
            if name == "LOAD_GLOBAL":
                stack += symbols_of_global(item)
            elif name in ("LOAD_ATTR", "LOAD_METHOD"):
                stack += symbols_of_attribute(item, pop(stack))
            elif name == "PUSH_NULL":
                stack.append(NULL)
            elif name in DOUBLE_LOADS:
                stack += [VALUE, VALUE]
            elif name in LOADS or name in CONSTANTS or name in ("LOAD_DEREF", "LOAD_CLOSURE"):
                stack.append(VALUE)
            elif name in TAKES or name in MAKES or name in ("CALL", "CALL_KW"):
                count = TAKES.get(name) or taken_by(item)
                del stack[max(len(stack) - count, 0) :]
                stack.append(VALUE)
            elif name in ("POP_TOP", "STORE_FAST", "STORE_DEREF", "STORE_GLOBAL"):
                pop(stack)
            else:
                stack = []
        return stack

    def iterator_at(self, index: int) -> Symbol:
        """What a FOR_ITER that is reached from its loop's body iterates over."""
        before = [item for item in self.instructions[:index] if item.opname not in IGNORED]
        if len(before) < 2 or before[-1].opname != "GET_ITER":
            raise NotQuietError
        made = before[-2]
        if made.opname in LOADS and made.argval not in self.stored:
            return ("iterator", ("fast", made.argval))
        if made.opname == "LOAD_DEREF" and made.argval in self.constant_cells:
            return ("iterator", ("cell", made.argval))
        if made.opname == "CALL":
            count = made.arg or 0
            loaded = before[-3 - count] if len(before) >= 3 + count else None
            simple = all(item.opname in LOADS | CONSTANTS for item in before[-2 - count : -2])
            if loaded is not None and loaded.opname == "LOAD_GLOBAL" and loaded.argval == "range" and simple:
                return RANGE_ITERATOR
        raise NotQuietError


class Walk:
    """Follows every path from one instruction on."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self.needs: set[Need] = set()
        self.seen: set[int] = set()
        self.steps = 0

    def follow(self, index: int, stack: list[Symbol], known: dict[str, Symbol] | None = None) -> None:
        """Go on from an instruction until the path ends. What is below the known part of the stack is never touched."""
        code = self.code
        known = dict(known or {})
        while True:
            self.steps += 1
            if self.steps > MAX_STEPS:
                raise NotQuietError
            item = code.instructions[index]
            name = item.opname
            index += 1
            if name in BACKWARD:
                if item.offset in self.seen:
                    return  # a loop without an operation: whether it ends does not matter to others
                self.seen.add(item.offset)
                index = code.index[item.argval]
                if code.instructions[index].opname == "FOR_ITER":
                    stack = [code.iterator_at(index)]
                continue
            if name == "JUMP_FORWARD":
                index = code.index[item.argval]
            elif name in ("RETURN_VALUE", "RETURN_CONST"):
                self.needs.add(("exit", "", ""))
                return
            elif name.startswith("CALL"):
                if self.call(item, stack):
                    return
            elif name == "BEFORE_WITH":
                self.need_object(pop(stack), "__enter__")
                return
            elif name == "FOR_ITER":
                iterator = stack[-1] if stack else VALUE
                if iterator[0] == "iterator":
                    self.need_object(iterator[1], "recv_")
                    return
                if iterator != RANGE_ITERATOR:
                    raise NotQuietError
                self.follow(code.index[item.argval], [*stack, VALUE], known)
                stack.append(VALUE)
            else:
                self.move(item, stack, known)

    def move(self, item: dis.Instruction, stack: list[Symbol], known: dict[str, Symbol]) -> None:
        """An instruction that moves values about, or does not qualify."""
        name = item.opname
        if name in IGNORED:
            return
        if name in LOADS:
            self.load(item.argval, stack, known)
        elif name in DOUBLE_LOADS:
            for variable in item.argval:
                self.load(variable, stack, known)
        elif name in CONSTANTS:
            stack.append(VALUE)
        elif name == "LOAD_DEREF":
            if item.argval not in self.code.constant_cells:
                raise NotQuietError
            self.needs.add(("variable", item.argval, ""))
            stack.append(("cell", item.argval))
        elif name == "LOAD_CLOSURE":
            stack.append(VALUE)
        elif name == "LOAD_GLOBAL":
            self.needs.add(("bound", item.argval, ""))
            stack += symbols_of_global(item)
        elif name in ("LOAD_ATTR", "LOAD_METHOD"):
            self.attribute(item, stack)
        elif name == "PUSH_NULL":
            stack.append(NULL)
        elif name == "STORE_FAST":
            known[item.argval] = pop(stack)
        elif name == "STORE_FAST_STORE_FAST":
            for variable in item.argval:
                known[variable] = pop(stack)
        elif name == "STORE_FAST_LOAD_FAST":
            known[item.argval[0]] = pop(stack)
            self.load(item.argval[1], stack, known)
        elif name in ("POP_TOP", "END_FOR", "POP_ITER"):
            pop(stack)
        elif name in MAKES:
            for _ in range(taken_by(item)):
                if pop(stack)[0] == "iterator":
                    raise NotQuietError
            stack.append(VALUE)
        elif name == "GET_ITER":
            iterated = pop(stack)
            if iterated == RANGE:
                stack.append(RANGE_ITERATOR)
            elif iterated[0] in ("fast", "cell"):
                stack.append(("iterator", iterated))
            else:
                raise NotQuietError
        else:
            raise NotQuietError

    def load(self, variable: str, stack: list[Symbol], known: dict[str, Symbol]) -> None:
        """A local variable; in 3.13 also the cell of one that is shared with nested functions."""
        if variable not in known and variable not in self.code.code.co_cellvars + self.code.code.co_freevars:
            self.needs.add(("variable", variable, ""))
        stack.append(known.get(variable, ("fast", variable)))

    def attribute(self, item: dis.Instruction, stack: list[Symbol]) -> None:
        """`base.name`: it must turn out to be a method of an object of ours, or a function of a module of ours."""
        base = pop(stack)
        if base[0] == "global":
            self.needs.add(("bound", base[1], item.argval))
        else:
            self.need_object(base, item.argval)
        stack += symbols_of_attribute(item, base)

    def call(self, item: dis.Instruction, stack: list[Symbol]) -> bool:
        """A call: True when it is one of our operations and the path ends here."""
        if item.opname not in ("CALL", "CALL_KW"):
            raise NotQuietError
        if item.opname == "CALL_KW":
            pop(stack)  # the names
        arguments = [pop(stack) for _ in range(item.arg or 0)]
        second, callee = pop(stack), pop(stack)
        if callee == NULL:
            callee, second = second, NULL
        if any(symbol[0] == "iterator" for symbol in (*arguments, second)):
            raise NotQuietError
        if callee == ("global", "range"):
            self.needs.add(("builtin", "range", ""))
            stack.append(RANGE)
            return False
        if callee[0] == "global":
            self.needs.add(("call", callee[1], ""))
        elif callee[0] == "attr" and callee[1][0] == "global":
            self.needs.add(("call", callee[1][1], callee[2]))
        elif callee[0] == "attr":
            self.need_object(callee[1], callee[2])
        else:
            raise NotQuietError
        return True

    def need_object(self, symbol: Symbol, method: str) -> None:
        """A variable must turn out to be an object of ours that has the method."""
        if symbol[0] not in ("fast", "cell") or method not in METHODS:
            raise NotQuietError
        self.needs.add(("object", symbol[1], method))


def taken_by(item: dis.Instruction) -> int:
    """How many values an instruction takes that leaves one."""
    count = item.arg or 0
    if item.opname == "MAKE_FUNCTION":
        return 1 + bin(count).count("1")
    if item.opname == "SET_FUNCTION_ATTRIBUTE":
        return 2
    if item.opname.startswith("CALL"):
        return count + 2 + (item.opname == "CALL_KW")
    return count


def symbols_of_global(item: dis.Instruction) -> list[Symbol]:
    """What LOAD_GLOBAL pushes: with a NULL, beside what is to be called."""
    symbols: list[Symbol] = [("global", item.argval)]
    if "NULL" in item.argrepr:
        symbols.insert(len(symbols) if sys.version_info >= (3, 13) else 0, NULL)
    return symbols


def symbols_of_attribute(item: dis.Instruction, base: Symbol) -> list[Symbol]:
    """What LOAD_ATTR pushes: with a NULL in place of the object, where a method is to be called."""
    is_method = item.opname == "LOAD_METHOD" or "NULL|self" in item.argrepr
    return [("attr", base, item.argval), *[NULL] * is_method]


def pop(stack: list[Symbol]) -> Symbol:
    """The top of the stack; below the known part there are the goroutine's own values, of unknown kind."""
    return stack.pop() if stack else ("unknown",)


def is_assigned_once(owner: CodeType, name: str) -> bool:
    """A variable shared with nested functions is bound once, outside every loop, or is a parameter never assigned."""
    instructions = list(dis.get_instructions(owner))
    stores = [item.offset for item in instructions if item.opname in STORES and item.argval == name]
    inner = sum(_stores_inside(code, name) for code in owner.co_consts if isinstance(code, CodeType))
    is_parameter = name in owner.co_varnames[: owner.co_argcount + owner.co_kwonlyargcount]
    if inner or len(stores) + is_parameter != 1:
        return False
    if is_parameter:
        return True
    jumps = [item for item in instructions if item.opcode in JUMPS and item.argval < item.offset]
    return not any(item.argval <= stores[0] <= item.offset for item in jumps)


def _stores_inside(code: CodeType, name: str) -> int:
    if name not in code.co_freevars:
        return 0
    count = len([item for item in dis.get_instructions(code) if item.opname in STORES and item.argval == name])
    return count + sum(_stores_inside(inner, name) for inner in code.co_consts if isinstance(inner, CodeType))
