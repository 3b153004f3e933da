"""Structs and pointers: making them, their fields, what they refuse."""

from __future__ import annotations

import copy
import pickle
import threading
import weakref
from typing import Any, ClassVar

import pytest
from greenlet import getcurrent

import goruntime
from goruntime import (
    Array,
    Bool,
    Float32,
    Func,
    GoPanic,
    Int,
    Int8,
    Ptr,
    String,
    Struct,
    Uint64,
    addr,
    alignof,
    chan,
    new,
    ptrmask,
    run,
    sizeof,
)
from goruntime.heap.sizeclass import small_span_class
from goruntime.lang.types import go_type

from .heapworld import Watch, free, heap, in_a_run, mem


class Node(Struct):
    key: Int
    name: String
    left: Ptr[Node]
    right: Ptr[Node]

    limit: ClassVar[int] = 7

    def total(self) -> int:
        return sum((self.key, *(part.total() for part in (self.left, self.right) if part is not None)))

    @property
    def double(self) -> int:
        return self.key * 2


class Inner(Struct):
    a: Int8
    link: Ptr[Node]


class Outer(Struct):
    before: Bool
    inner: Inner
    pair: Array[Inner, 2]
    after: Float32
    numbers: Array[Int8, 3]


class Empty(Struct):
    pass


class Early(Struct):
    late: Ptr[Late]
    value: Int


class Late(Struct):
    early: Early


class TestMaking:
    def test_zero_values(self) -> None:
        def main() -> None:
            node = Node()
            assert (node.key, node.name, node.left, node.right) == (0, "", None, None)
            assert Outer().inner.link is None
            assert list(Outer().numbers) == [0, 0, 0]

        in_a_run(main)

    def test_keywords(self) -> None:
        def main() -> None:
            leaf = Node(key=2)
            node = Node(key=1, name="a", left=leaf)
            assert (node.key, node.name, node.left, node.right) == (1, "a", leaf, None)
            assert node.left is leaf
            assert node.total() == 3
            assert node.double == 2
            assert Node.limit == 7

        in_a_run(main)

    def test_what_is_no_field(self) -> None:
        def main() -> None:
            with pytest.raises(TypeError, match=r"Node.__init__\(\) got an unexpected keyword argument 'kee'"):
                Node(kee=1)  # type: ignore[call-arg]
            with pytest.raises(TypeError, match=r"Node.__init__\(\) takes 1 positional argument but 2 were given"):
                Node(1)  # type: ignore[misc]
            with pytest.raises(AttributeError, match="'Node' object has no attribute 'kee'"):
                Node().kee = 1  # type: ignore[attr-defined]

        in_a_run(main)

    @pytest.mark.parametrize(
        ("field", "value", "text"),
        [
            ("key", "x", r"cannot use 'x' \(str\) as int value in field key of test_struct.Node"),
            ("key", True, r"cannot use True \(bool\) as int value"),
            ("key", 1.0, r"cannot use 1.0 \(float\) as int value"),
            ("name", 1, r"cannot use 1 \(int\) as string value in field name of test_struct.Node"),
            ("left", 1, r"cannot use 1 \(int\) as \*test_struct.Node value in field left"),
            ("left", Node, r"as \*test_struct.Node value in field left"),
        ],
    )
    def test_wrong_types(self, field: str, value: Any, text: str) -> None:
        def main() -> None:
            with pytest.raises(TypeError, match=text):
                Node(**{field: value})
            node = Node()
            with pytest.raises(TypeError, match=text):
                setattr(node, field, value)
            assert (node.key, node.name, node.left) == (0, "", None)

        in_a_run(main)

    def test_a_pointer_to_another_struct(self) -> None:
        def main() -> None:
            with pytest.raises(TypeError, match=r"\(\*test_struct.Inner\) as \*test_struct.Node value"):
                Node(left=Inner())  # type: ignore[arg-type]

        in_a_run(main)

    def test_wrap_around(self) -> None:
        def main() -> None:
            node = Node(key=1 << 63)
            assert node.key == -(1 << 63)
            node.key = -(1 << 63) - 1
            assert node.key == (1 << 63) - 1
            assert Inner(a=200).a == -56

        in_a_run(main)

    def test_addresses_and_size_classes(self) -> None:
        def main() -> None:
            nodes = [Node() for _ in range(3)]
            first = addr(nodes[0])
            assert [addr(node) for node in nodes] == [first, first + 48, first + 96]
            span = heap().mheap.span_of(first)
            assert span.spanclass == small_span_class(40, False)
            assert addr(None) == 0
            assert mem()[first] is nodes[0]
            with pytest.raises(TypeError, match="addr: int is no pointer"):
                addr(1)

        in_a_run(main)

    def test_each_allocation_adds_to_scan_alloc(self) -> None:
        def main() -> None:
            Node()
            cache = goruntime_m().p.mcache
            before = cache.scan_alloc
            Node()
            assert cache.scan_alloc - before == go_type(Node).ptrdata == 40

        in_a_run(main)

    def test_large_structs_have_a_header_and_larger_ones_a_span(self) -> None:
        class Header(Struct):
            link: Ptr[Node]
            pad: Array[Int, 100]

        class Large(Struct):
            link: Ptr[Node]
            pad: Array[Int, 5000]

        def main() -> None:
            node = Node()
            header = Header(link=node)
            assert addr(header) % 16 == 8
            assert heap().mheap.span_of(addr(header)).spanclass == small_span_class(808, False)
            large = Large(link=node)
            assert heap().mheap.span_of(addr(large)).spanclass == 0
            large.pad[4999] = 5
            assert large.pad[4999] == 5
            assert header.link is large.link is node

        in_a_run(main)

    def test_tiny_structs_share_a_slot(self) -> None:
        class Tiny(Struct):
            a: Int8
            b: Int8

        def main() -> None:
            one, two = Tiny(a=1), Tiny(a=2)
            assert addr(two) == addr(one) + 2
            assert (one.a, two.a) == (1, 2)
            three = new(Int8)
            assert addr(three) == addr(two) + 2

        in_a_run(main)

    def test_all_objects_without_size_are_one(self) -> None:
        def main() -> None:
            assert Empty() is Empty()
            assert new(Empty) is Empty()
            assert addr(Empty()) == addr(new(Array[Int, 0]))
            assert new(Array[Int, 0]) is new(Array[Int, 0])
            assert new(Array[Int, 0]) is not new(Array[Int8, 0])

        in_a_run(main)


def goruntime_m() -> Any:
    return getcurrent().m  # type: ignore[attr-defined]


class TestPointers:
    def test_identity(self) -> None:
        def main() -> None:
            node = Node(left=Node(key=5))
            assert node.left is node.left
            assert node.left == node.left
            assert node.left != node
            node.left.left = node  # a cycle
            assert node.left.left is node
            node.left = None
            assert node.left is None

        in_a_run(main)

    def test_nil_dereference_is_gos_panic(self) -> None:
        def main() -> None:
            print(Node().left.key)  # type: ignore[union-attr]

        with pytest.raises(GoPanic, match="invalid memory address or nil pointer dereference"):
            run(main)

        def stores() -> None:
            Node().left.key = 1  # type: ignore[union-attr]

        with pytest.raises(GoPanic, match="invalid memory address or nil pointer dereference"):
            run(stores)

    def test_new_of_basic_types(self) -> None:
        def main() -> None:
            number = new(Int)
            assert number.value == 0
            number.value = 1 << 64
            assert number.value == 0
            with pytest.raises(TypeError, match=r"as int value in field value of \*int"):
                number.value = "x"
            deep = new(Ptr[Ptr[Int]])
            deep.value = new(Ptr[Int])
            deep.value.value = number
            assert deep.value.value is number
            assert repr(number) == f"(*int) {addr(number):#x}"
            with pytest.raises(TypeError, match=r"as \*\*int value"):
                deep.value = number
            text = new(String)
            text.value = "a"
            assert (text.value, new(Bool).value) == ("a", False)

        in_a_run(main)

    def test_new_of_a_struct(self) -> None:
        def main() -> None:
            node = new(Node)
            node.key = 5
            twin = node.value
            assert twin is not node
            assert twin.key == 5
            twin.key = 6
            assert node.key == 5
            node.value = twin
            assert node.key == 6
            with pytest.raises(TypeError, match="as test_struct.Node value"):
                node.value = Inner()

        in_a_run(main)

    def test_text_as_a_type(self) -> None:
        def main() -> None:
            class Local(Struct):
                key: Int

            assert new("Local").key == 0
            assert new("Ptr[Node]").value is None
            with pytest.raises(NameError, match="Nowhere"):
                new("Nowhere")
            with pytest.raises(TypeError, match=r"list is no type of Go's: Slice"):
                new(list)

        in_a_run(main)


class TestInside:
    def test_a_struct_by_value_is_a_pointer_into_the_one_around(self) -> None:
        def main() -> None:
            outer = Outer()
            inner = outer.inner
            assert inner is outer.inner
            assert isinstance(inner, Inner)
            inner.a = 5
            assert outer.inner.a == 5
            assert addr(inner) == addr(outer) + 8
            assert addr(outer.pair[1]) == addr(outer) + 8 + 16 + 16
            outer.pair[1].link = node = Node()
            assert outer.pair[1].link is node
            assert outer.pair[0].link is None
            assert outer.pair[1] is outer.pair[1]

        in_a_run(main)

    def test_assigning_copies(self) -> None:
        def main() -> None:
            node = Node()
            outer, source = Outer(), Inner(a=1, link=node)
            inner = outer.inner
            outer.inner = source
            assert inner.a == 1
            assert inner.link is node
            source.a = 2
            assert inner.a == 1
            outer.pair[1] = inner
            outer.pair[0] = outer.pair[1]
            outer.inner.a = 9
            assert [part.a for part in outer.pair] == [1, 1]
            whole = Outer(inner=source, numbers=[1, 2, 300])
            assert whole.inner.a == 2
            assert list(whole.numbers) == [1, 2, 44]
            whole.numbers[0] = 128
            assert whole.numbers[0] == -128
            copied = whole.value
            whole.numbers[1] = 0
            assert list(copied.numbers) == [-128, 2, 44]
            assert copied.inner.link is node
            with pytest.raises(TypeError, match="as test_struct.Inner value in field inner of test_struct.Outer"):
                outer.inner = node  # type: ignore[assignment]

        in_a_run(main)

    def test_it_is_a_pointer_of_its_type(self) -> None:
        class Holder(Struct):
            at: Ptr[Inner]

        def main() -> None:
            outer = Outer()
            holder = Holder(at=outer.pair[1])
            assert holder.at is outer.pair[1]
            holder.at = outer.inner
            assert holder.at is outer.inner
            made = type(outer.inner)(a=3)
            assert made.a == 3
            assert addr(made) != addr(outer.inner)

        in_a_run(main)

    def test_the_first_field_has_the_structs_address_but_is_another_pointer(self) -> None:
        class Wrap(Struct):
            inner: Inner

        class Twice(Struct):
            wrap: Wrap

        def main() -> None:
            twice = Twice()
            assert addr(twice) == addr(twice.wrap) == addr(twice.wrap.inner)
            assert len({id(twice), id(twice.wrap), id(twice.wrap.inner)}) == 3
            twice.wrap.inner.a = 4
            assert twice.wrap.value.inner.a == 4

        in_a_run(main)


class TestLayout:
    def test_sizes(self) -> None:
        assert (sizeof(Node), alignof(Node), ptrmask(Node)) == (40, 8, 0b11010)
        assert (sizeof(Inner), ptrmask(Inner)) == (16, 0b10)
        assert sizeof(Outer) == 8 + 16 + 32 + 4 + 3 + 1
        assert ptrmask(Outer) == 0b1010100
        assert (sizeof(Empty), alignof(Empty)) == (0, 1)
        assert sizeof(Late) == 16
        assert sizeof(Ptr[Node]) == sizeof("Ptr[Node]") == 8

    def test_types_are_canonical(self) -> None:
        assert go_type(Ptr[Node]) is go_type("Ptr[Node]") is go_type(Ptr["Node"])
        assert go_type(Ptr[int]) is go_type(Ptr[Int])
        assert go_type(Array[Ptr[Node], 2]) is go_type(Array[Ptr["Node"], 2])
        assert go_type(Node).name == "test_struct.Node"
        assert go_type(Ptr[Node]).name == "*test_struct.Node"

    def test_local_classes_and_mutual_references(self) -> None:
        def main() -> None:
            count = 3

            class A(Struct):
                b: Ptr[B]
                row: Array[B, count]

            class B(Struct):
                a: Ptr[A]

            assert sizeof(A) == 32
            a = A(b=B())
            a.b.a = a  # type: ignore[union-attr]
            assert a.b.a is a  # type: ignore[union-attr]
            a.row[count - 1].a = a
            assert a.row[2].a is a

        in_a_run(main)
        in_a_run(main)  # a new A finds the new B

    def test_pythons_types_are_fields(self) -> None:
        class Plain(Struct):
            number: int
            text: str
            real: float
            flag: bool
            thing: object

        assert sizeof(Plain) == 8 + 16 + 8 + 8 + 16

        def main() -> None:
            plain = Plain(number=1, text="a", real=1.5, flag=True, thing=[1])
            assert (plain.number, plain.text, plain.real, plain.flag, plain.thing) == (1, "a", 1.5, True, [1])

        in_a_run(main)


class TestRefused:
    def test_recursive_value_types(self) -> None:
        class Self(Struct):
            again: Self

        class One(Struct):
            two: Array[Two, 3]

        class Two(Struct):
            one: One

        with pytest.raises(TypeError, match=r"^invalid recursive type: Self refers to itself$"):
            sizeof(Self)
        with pytest.raises(TypeError, match=r"^invalid recursive type One\n\tOne refers to Two\n\tTwo refers to One$"):
            sizeof(One)
        with pytest.raises(GoPanic, match="TypeError: invalid recursive type Two"):
            run(lambda: Two())

    @pytest.mark.parametrize(
        ("annotation", "text"),
        [
            ("list", "field x of test_struct.Bad: list: list is no type of Go's: Slice"),
            ("dict[str, int]", "field x of test_struct.Bad.*Map"),
            ("Ptr[set]", "field x of test_struct.Bad: Ptr.set.: set is no type of Go's"),
            ("Node | None", "a pointer that may be nil is Ptr"),
            ("Array[Int]", r"Array: write Array\[T, n\]"),
            ("Array[Int, -1]", "invalid array length -1"),
            ("Array[Int, 1 << 50]", "larger than address space"),
            ("3", "is no type of Go's"),
            ("Struct", "Struct is no type of Go's"),
        ],
    )
    def test_unknown_field_types(self, annotation: str, text: str) -> None:
        bad = type(Struct)("Bad", (Struct,), {"__module__": __name__, "__annotations__": {"x": annotation}})
        with pytest.raises((TypeError, ValueError), match=text):
            sizeof(bad)
        with pytest.raises(NameError, match="field x of test_struct.Bad: Nowhere: .*'?Nowhere"):
            sizeof(type(Struct)("Bad", (Struct,), {"__module__": __name__, "__annotations__": {"x": "Nowhere"}}))

    def test_a_name_that_is_there_later(self) -> None:
        class Waits(Struct):
            other: Ptr[Comes]  # type: ignore[name-defined]  # noqa: F821

        def main() -> None:
            with pytest.raises(NameError, match="Comes"):
                Waits()

            class Comes(Struct):
                pass

            globals()["Comes"] = Comes
            try:
                assert Waits(other=Comes()).other is Comes()
            finally:
                del globals()["Comes"]

        in_a_run(main)

    @pytest.mark.parametrize(
        ("members", "text"),
        [
            ({"__annotations__": {"x": "Int"}, "x": 3}, "no field defaults: x"),
            ({"__del__": lambda self: None}, "__del__ is not allowed: .*runtime.set_finalizer"),
            ({"__eq__": lambda self, other: True}, "__eq__ is not allowed: pointers are compared by identity"),
            ({"__init__": lambda self: None}, "__init__ is not allowed"),
            ({"__slots__": ()}, "__slots__ is not allowed"),
            ({"__setattr__": lambda self, name, value: None}, "__setattr__ is not allowed"),
            ({"__annotations__": {"_go_x": "Int"}}, "_go_x is the runtime's own"),
            ({"__annotations__": {"_f_x": "Int"}}, "_f_x is the runtime's own"),
        ],
    )
    def test_members(self, members: dict[str, Any], text: str) -> None:
        with pytest.raises(TypeError, match=f"struct Bad: .*{text}"):
            type(Struct)("Bad", (Struct,), {"__module__": __name__, **members})

    def test_subclasses(self) -> None:
        with pytest.raises(TypeError, match="Node is a struct, and a struct has no subclasses: embed it as a field"):

            class Sub(Node):
                pass

        with pytest.raises(TypeError, match="dict cannot be a base"):

            class Mixed(Struct, dict):  # type: ignore[type-arg]
                pass

        with pytest.raises(TypeError, match="unknown class option frozen"):

            class Option(Struct, frozen=True):  # type: ignore[call-arg]
                pass

        with pytest.raises(TypeError, match="Struct has no fields"):
            Struct()

    def test_copies_and_references(self) -> None:
        def main() -> None:
            node = Node()
            for refused in (copy.copy, copy.deepcopy):
                with pytest.raises(TypeError, match=r"test_struct.Node: .*p.value is a copy"):
                    refused(node)
            with pytest.raises(TypeError, match="cannot be pickled"):
                pickle.dumps(node)
            with pytest.raises(TypeError, match="weak reference"):
                weakref.ref(node)
            with pytest.raises(AttributeError):
                del node.key
            assert len({node, Node()}) == 2

        in_a_run(main)


class TestRuns:
    def test_outside(self) -> None:
        with pytest.raises(RuntimeError, match="test_struct.Node must be called from a goroutine"):
            Node()
        with pytest.raises(RuntimeError, match="new must be called from a goroutine"):
            new(Int)

    def test_a_handle_outlives_its_run_as_a_shell(self) -> None:
        node = run(lambda: Node(key=3, left=Node()))
        assert node.key == 3
        with pytest.raises(RuntimeError, match="run that is over"):
            print(node.left)
        with pytest.raises(RuntimeError, match="must be called from a goroutine"):
            node.left = None
        assert repr(node).startswith("&test_struct.Node{key:3 name: left:0xc000")

        def later() -> None:
            other = Node()
            for use in (
                lambda: setattr(other, "left", node),
                lambda: setattr(node, "left", other),
                lambda: setattr(node, "left", None),
                lambda: Node(left=node),
                lambda: Outer(inner=inner),
            ):
                with pytest.raises(RuntimeError, match=r"\(\*test_struct.*0xc000.*belongs to another run"):
                    use()
            assert other.left is None

        inner = run(lambda: Inner())
        in_a_run(later)

    def test_another_thread(self) -> None:
        def main() -> None:
            node = Node()
            caught: list[BaseException] = []

            def foreign() -> None:
                try:
                    Node()
                except RuntimeError as error:
                    caught.append(error)

            thread = threading.Thread(target=foreign)
            thread.start()
            thread.join()
            assert "must be called from a goroutine" in str(caught[0])
            assert node.left is None

        in_a_run(main)

    def test_a_freed_object_refuses_everything(self) -> None:
        def main() -> None:
            node, kept, outer = Node(key=1), Node(), Outer()
            inner = outer.inner
            free(node, outer)
            for use in (
                lambda: node.key,
                lambda: setattr(node, "key", 2),
                lambda: node.left,
                lambda: node.total(),
                lambda: repr(node),
                lambda: setattr(kept, "left", node),
                lambda: inner.a,
                lambda: addr(node),
            ):
                with pytest.raises(goruntime.FatalError, match="use of freed object"):
                    use()
            assert kept.key == 0
            again = Node()
            assert mem()[addr(again)] is again

        in_a_run(main)


class TestDisplay:
    def test_repr(self) -> None:
        def main() -> None:
            node = Node(key=1, name="n")
            node.left = node
            assert repr(node) == f"&test_struct.Node{{key:1 name:n left:{addr(node):#x} right:<nil>}}"
            outer = Outer(before=True, inner=Inner(a=1), after=1.5)
            assert repr(outer) == (
                "&test_struct.Outer{before:true inner:{a:1 link:<nil>} pair:[{a:0 link:<nil>} {a:0 link:<nil>}] "
                "after:1.5 numbers:[0 0 0]}"
            )
            assert repr(outer.inner) == "&test_struct.Inner{a:1 link:<nil>}"
            assert repr(object.__new__(Node)) == "<Node without an object>"

        in_a_run(main)

    def test_a_panic_shows_the_pointer(self) -> None:
        def main() -> None:
            goruntime.panic(Node())

        with pytest.raises(GoPanic, match=r"panic: \(\*test_struct.Node\) 0xc0000"):
            run(main)


class TestStores:
    def test_a_watcher_sees_pointers_only(self) -> None:
        def main() -> None:
            node, other, outer = Node(), Node(), Outer()
            with Watch() as watch:
                node.key = 5
                node.left = other
                node.left = None
                outer.inner.link = node
                outer.pair[1] = outer.inner
                made = Node(right=other)
                outer.inner = Inner(a=1, link=other)
            node.left = other
            a, b = addr(node), addr(other)
            seen = [(holder & (1 << 48) - 1, old, new) for holder, old, new in watch.seen]
            at = addr(outer)
            temporary = seen[5][0]
            assert seen == [
                (a, 0, b),
                (a, b, 0),
                (at + 8, 0, a),
                (addr(outer.pair), 0, a),
                (addr(made), 0, b),
                (temporary, 0, b),
                (at, a, b),
            ]

        in_a_run(main)

    def test_uint64_and_func(self) -> None:
        class Mixed(Struct):
            wide: Uint64
            call: Func
            out: chan[int]

        def main() -> None:
            mixed = Mixed(wide=-1, call=len)
            assert mixed.wide == (1 << 64) - 1
            assert mixed.call([1]) == 1  # type: ignore[misc]
            mixed.call = None
            with pytest.raises(TypeError, match=r"as func\(\) value in field call"):
                mixed.call = 3  # type: ignore[assignment]
            assert mixed.out is goruntime.nilchan
            mixed.out = ch = chan(1, int)
            assert mixed.out is ch
            with pytest.raises(TypeError, match="as chan int value in field out"):
                mixed.out = chan(1)

        in_a_run(main)
