"""println, print_ and the texts of panic values. The expected texts are those that Go 1.27.3 printed."""

import math

import pytest

from goruntime import GoPanic, chan, nilchan, panic, print_, println, run
from goruntime.lang.print import go_float, print_text

FLOATS = {
    0.0: "0",
    1.0: "1",
    -1.0: "-1",
    3.5: "3.5",
    0.1: "0.1",
    0.5: "0.5",
    4.35: "4.35",
    100.0: "100",
    99999.0: "99999",
    1e5: "100000",
    1e6: "1e+06",
    123456.789: "123456.789",
    12345678.9: "1.23456789e+07",
    1e15: "1e+15",
    9007199254740993.0: "9.007199254740992e+15",
    1e16: "1e+16",
    1e20: "1e+20",
    123456789012345680000.0: "1.2345678901234568e+20",
    999999999999999900000.0: "9.999999999999999e+20",
    1e21: "1e+21",
    1.5e21: "1.5e+21",
    1e100: "1e+100",
    1.7976931348623157e308: "1.7976931348623157e+308",
    1e-4: "0.0001",
    0.00012345: "0.00012345",
    1e-5: "1e-05",
    1.5e-5: "1.5e-05",
    -2.5e-10: "-2.5e-10",
    1e-10: "1e-10",
    2.2250738585072014e-308: "2.2250738585072014e-308",
    5e-324: "5e-324",
    1 / 3: "0.3333333333333333",
    2 / 3: "0.6666666666666666",
    math.pi: "3.141592653589793",
    math.inf: "+Inf",
    -math.inf: "-Inf",
}


@pytest.mark.parametrize(("value", "text"), FLOATS.items())
def test_floats(value, text):
    assert go_float(value) == text
    if value > 0 and value != math.inf:
        assert go_float(-value) == "-" + text


def test_floats_that_compare_oddly():
    assert go_float(-0.0) == "-0"
    assert go_float(math.nan) == go_float(-math.nan) == "NaN"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-1, "-1"),
        (9223372036854775807, "9223372036854775807"),
        (18446744073709551615, "18446744073709551615"),
        (10**30, "1" + "0" * 30),
        (True, "true"),
        (False, "false"),
        ("text", "text"),
        ("", ""),
        ("a\nb é", "a\nb é"),
        (None, "0x0"),
        (1 + 2j, "(1+2i)"),
        (complex(0, -1), "(0-1i)"),
        (complex(1.5, -0.25), "(1.5-0.25i)"),
        (complex(math.inf, math.nan), "(+Inf+NaNi)"),
        (complex(-0.0, 1e21), "(-0+1e+21i)"),
        (complex(-math.inf, -math.inf), "(-Inf-Infi)"),
    ],
)
def test_basic_types(value, text):
    assert print_text(value) == text


def test_what_is_no_basic_type_is_an_address(capsys):
    class Thing:
        def __str__(self):
            raise AssertionError("its own text is not asked for")

    def main():
        println(chan(), [], {}, Thing(), println)
        println(nilchan)

    run(main)
    first, second = capsys.readouterr().err.splitlines()
    assert all(word.startswith("0xc") for word in first.split(" "))
    assert len(first.split(" ")) == 5
    assert second.startswith("0x")


def test_a_derived_type_prints_as_its_base(capsys):
    class Count(int):
        def __repr__(self):
            raise AssertionError

    class Name(str):
        def __str__(self):
            raise AssertionError

    run(println, Count(5), Name("x"), type("Size", (float,), {})(2.5))
    assert capsys.readouterr().err == "5 x 2.5\n"


@pytest.mark.parametrize(
    ("function", "args", "text"),
    [
        (println, (), "\n"),
        (println, (1, "b", 2.0), "1 b 2\n"),
        (println, ("a", None, True), "a 0x0 true\n"),
        (print_, (), ""),
        (print_, (1, 2, "x", 3.5, True), "12x3.5true"),
        (print_, ("line\n",), "line\n"),
    ],
)
def test_println_and_print(function, args, text, capsys):
    run(function, *args)
    assert capsys.readouterr() == ("", text)


def test_keywords_are_refused():
    def main():
        for function in (println, print_):
            with pytest.raises(TypeError):
                function(1, end="")

    run(main)


def test_no_standard_error(monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    run(println, "lost")


# Panic values.


class Err(Exception):
    pass


class GoErr:
    def error(self):
        return "its error"


class Stringer:
    def string(self):
        return "its string"


class Texted:
    def __str__(self):
        return "its text"


class Silent:
    pass


class Celsius(float):
    pass


class Name(str):
    pass


class Flag(int):
    pass


ME = __name__
VALUES = [
    (1, "1"),
    (-3.5, "-3.5"),
    (1e21, "1e+21"),
    (True, "true"),
    (2 + 1j, "(2+1i)"),
    ("text", "text"),
    ("two\nlines", "two\n\tlines"),
    (Err("x"), "x"),
    (Err(), ""),
    (ValueError("x\ny"), "x\n\ty"),
    (GoErr(), "its error"),
    (Stringer(), "its string"),
    (Texted(), "its text"),
    (Celsius(1.5), f"{ME}.Celsius(1.5)"),
    (Name("n"), f'{ME}.Name("n")'),
    (Flag(3), f"{ME}.Flag(3)"),
]


@pytest.mark.parametrize(("value", "text"), VALUES, ids=lambda each: repr(each)[:20])
def test_panic_values(value, text):
    with pytest.raises(GoPanic) as caught:
        run(panic, value)
    assert str(caught.value).startswith(f"panic: {text}\n\ngoroutine 1 [running]:\n")
    assert caught.value.value is value or caught.value.value == value


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (Silent(), f"{ME}.Silent"),
        ([1, 2], "[]int"),
        ([1, "a"], "[]interface {}"),
        ({"a": 1}, "map[string]int"),
        (b"x", "[]uint8"),
    ],
    ids=["object", "list", "mixed list", "dict", "bytes"],
)
def test_panic_values_that_are_addresses(value, kind):
    with pytest.raises(GoPanic) as caught:
        run(panic, value)
    assert str(caught.value).startswith(f"panic: ({kind}) 0x")
