"""Go's fmt.Print, Println and Sprint for the ports: each print is one write to stdout, a system call, as in Go."""

from goruntime import os


def text(value):
    """`%v`: nil, true and false as Go writes them, everything else as Python does."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def sprint(*args):
    """A space between two operands when neither is a string."""
    out = ""
    for k, value in enumerate(args):
        if k and not isinstance(value, str) and not isinstance(args[k - 1], str):
            out += " "
        out += text(value)
    return out


def print_(*args):
    os.stdout.write(sprint(*args))


def println(*args):
    os.stdout.write(" ".join(map(text, args)) + "\n")
