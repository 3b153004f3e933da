"""Reading a field through nil: a run-time panic with Go's text and the line of the signal behind it."""

from goruntime import println, run


class T:
    def get(self):
        return self.x


def main():
    t = None
    println(T.get(t))


if __name__ == "__main__":
    run(main)
