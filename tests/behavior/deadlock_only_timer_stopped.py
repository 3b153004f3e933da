"""Neither a stopped timer nor a timer whose channel nobody receives from hides a deadlock."""

from goruntime import run, select, time


def main():
    t = time.Timer(time.hour)
    _ = t  # channel timer: not in any heap because nobody blocks on it
    a = time.after_func(time.hour, lambda: None)
    a.stop()
    select()


if __name__ == "__main__":
    run(main)
