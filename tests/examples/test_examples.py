"""Every example prints what stands beside it in its .out file, however it is started.

Each runs in a process of its own, as a reader would start it: through `python -m goruntime run` and as a plain
Python program. What an example claims beyond its output (the deadlock of the greedy philosophers, the words that
the crawler counts, the virtual seconds of the scaling picture) has a test of its own below.
"""

import ast
import os
import re
import signal
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
PROGRAMS = sorted(EXAMPLES.glob("[0-9][0-9]_*.py"))
NAMES = [program.stem for program in PROGRAMS]

# Whether an example prints the same under every seed, and why not if it does not.
SEED_INDEPENDENT = {
    "01_hello": True,
    "02_ping_pong": True,
    "03_worker_pool": True,
    "04_pipeline": True,
    "05_prime_sieve": True,
    "06_select_timeout": True,
    "07_dining_philosophers": True,
    "08_crawler": True,
    "09_scaling": True,
    "10_panic_recover": True,
    "11_find_the_bug": True,
    "12_preemption": True,
    "13_mutex_starvation": True,
    "14_singleflight_cache": False,  # which page a reader wants is drawn from the seed
    "15_cancelled_pipeline": False,  # the milliseconds: which worker gets the word that is looked for
    "16_downloader": True,
    "17_chat_server": True,
    "18_chat_load": True,
    "19_heap": True,
}
OPEN = ("16_downloader", "17_chat_server", "18_chat_load")  # real sockets: a seed decides little
SEEDLESS = [name for name in NAMES if SEED_INDEPENDENT.get(name) and name not in OPEN]

GO_VARIABLES = ("GOMAXPROCS", "GODEBUG", "GOTRACEBACK", "GOGC", "GOMEMLIMIT")
AS_COMMAND = ("-m", "goruntime", "run")
AS_PROGRAM = ()


def start(name, *arguments, how=AS_COMMAND):
    """Run an example with none of Go's environment variables set, in a directory that is not its own."""
    environment = {key: value for key, value in os.environ.items() if key not in GO_VARIABLES}
    environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, *how, str(EXAMPLES / f"{name}.py"), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", env=environment, cwd=ROOT / "tests", timeout=120
    )


def expected(name):
    return (EXAMPLES / f"{name}.out").read_text(encoding="utf-8")


@pytest.mark.parametrize("how", [AS_COMMAND, AS_PROGRAM], ids=["goruntime-run", "plain-python"])
@pytest.mark.parametrize("name", NAMES)
def test_prints_its_out_file(name, how):
    result = start(name, how=how)
    assert result.stdout == expected(name)
    assert result.stderr == ""
    assert result.returncode == 0


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", SEEDLESS)
def test_prints_the_same_under_another_seed(name, seed):
    result = start(name, how=(*AS_COMMAND, "--seed", str(seed)))
    assert result.stdout == expected(name)
    assert result.returncode == 0


def test_every_example_has_an_out_file_and_a_row_and_the_reverse():
    assert sorted(out.stem for out in EXAMPLES.glob("*.out")) == NAMES
    assert sorted(SEED_INDEPENDENT) == NAMES
    listed = re.findall(r"^\| `(\d\d_\w+)` \|", (EXAMPLES / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == NAMES


def test_numbers_are_consecutive():
    assert [int(name[:2]) for name in NAMES] == list(range(1, len(NAMES) + 1))


def test_the_first_is_short():
    assert len(PROGRAMS[0].read_text(encoding="utf-8").splitlines()) < 15


@pytest.mark.parametrize("program", PROGRAMS, ids=NAMES)
def test_opens_with_what_to_look_at_and_what_to_try(program):
    docstring = ast.get_docstring(ast.parse(program.read_text(encoding="utf-8")))
    assert docstring is not None
    assert 2 <= len(docstring.splitlines()) <= 8
    assert "Try: " in docstring


@pytest.mark.parametrize(("how", "status"), [(AS_COMMAND, 2), (AS_PROGRAM, 1)], ids=["goruntime-run", "plain-python"])
def test_greedy_philosophers_deadlock(how, status):
    result = start("07_dining_philosophers", "--greedy", how=how)
    assert result.returncode == status
    assert result.stdout == ""
    assert "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [chan receive]:\n" in result.stderr
    assert len(re.findall(r"^goroutine \d+ \[chan receive\]:$", result.stderr, re.MULTILINE)) == 6
    assert len(re.findall(r"^created by main\.main in goroutine 1$", result.stderr, re.MULTILINE)) == 5


def test_greedy_philosophers_report_is_all_of_stderr():
    report = start("07_dining_philosophers", "--greedy").stderr
    assert report.startswith("fatal error: ")
    assert "Traceback" not in report


def words_of(tree):
    """The crawler's answer, found in the plainest way."""
    words = Counter()
    for path in tree.rglob("*"):
        if path.is_file():
            words.update(re.findall("[a-z]{5,}", path.read_text(encoding="utf-8", errors="replace").lower()))
    return words


def check_crawl(tree, reads):
    result = start("08_crawler", tree)
    assert result.returncode == 0, result.stderr
    words = words_of(tree)
    files = sum(path.is_file() for path in tree.rglob("*"))
    *lines, summary = result.stdout.splitlines()
    top = sorted(words.items(), key=lambda item: (-item[1], item[0]))[:10]
    assert [line.split() for line in lines] == [[str(count), word] for word, count in top]
    assert summary == f"{sum(words.values())} words, {len(words)} of them different, in {files} files; {reads / 10} s"


def test_crawler_counts_known_words(tmp_path):
    (tmp_path / "one.txt").write_text("queue stack and queue graph\n")
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "deep" / "two.txt").write_text("Queue heaps; and: queue STACK.\n" * 3)
    (tmp_path / "deep" / "deeper" / "none.txt").write_text("")
    (tmp_path / "empty").mkdir()
    result = start("08_crawler", tmp_path)
    *top, summary = result.stdout.splitlines()
    assert top == ["     8  queue", "     4  stack", "     3  heaps", "     1  graph"]
    assert summary == "16 words, 4 of them different, in 3 files; 0.7 s"


def test_crawler_agrees_with_a_plain_count(tmp_path):
    for number in range(40):
        directory = tmp_path / f"d{number % 7}" / f"e{number % 3}"
        directory.mkdir(parents=True, exist_ok=True)
        text = " ".join(f"word{'abcdefghijkl'[(number * step) % 12]}{'xyz'[step % 3]}" for step in range(number * 5))
        (directory / f"{number}.txt").write_text(text)
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    paths = list(tmp_path.rglob("*"))
    check_crawl(tmp_path, reads=len(paths) + 1)


def test_crawler_reads_its_own_data():
    check_crawl(EXAMPLES / "data", reads=len(list((EXAMPLES / "data").rglob("*"))) + 1)


def test_crawler_does_not_follow_links(tmp_path):
    (tmp_path / "file").write_text("visited")
    try:
        (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    except OSError:
        pytest.skip("no symbolic links here")
    assert start("08_crawler", tmp_path).stdout.startswith("     1  visited\n1 words")


def test_crawler_names_what_it_cannot_read(tmp_path):
    (tmp_path / "file").write_text("words")
    (tmp_path / "closed").write_text("words")
    (tmp_path / "closed").chmod(0)
    if os.access(tmp_path / "closed", os.R_OK):
        pytest.skip("this user may read everything")
    result = start("08_crawler", tmp_path)
    assert result.stdout.splitlines()[-1] == "not read: closed: Permission denied"
    assert result.returncode == 0


def test_crawler_refuses_what_is_not_a_directory(tmp_path):
    result = start("08_crawler", tmp_path / "missing")
    assert result.returncode == 1
    assert result.stderr == f"{tmp_path / 'missing'} is not a directory\n"


def test_scaling_takes_8_4_2_1_seconds():
    rows = re.findall(r"^GOMAXPROCS=(\d)  (\d) s  (#+)$", start("09_scaling").stdout, re.MULTILINE)
    assert [(procs, seconds, len(bar)) for procs, seconds, bar in rows] == [
        ("1", "8", 40),
        ("2", "4", 20),
        ("4", "2", 10),
        ("8", "1", 5),
    ]


def test_the_greedy_one_never_lets_go_but_for_starvation_mode():
    greedy, polite, waits = expected("13_mutex_starvation").splitlines()
    assert not any(one == "G" and other == "p" for one, other in zip(greedy, polite, strict=False))
    waited = [float(wait) for wait in re.findall(r"\d\.\d", waits)]
    assert all(1.0 < wait < 1.5 for wait in waited[:-1])  # the last one ends with the greedy one


def test_a_stampede_asks_ten_times_as_often():
    def queries(*arguments):
        result = start("14_singleflight_cache", *arguments)
        visits, hits, asked = map(int, re.findall(r"\d+", result.stdout.splitlines()[0]))
        shared = int(re.search(r"^(\d+) visits shared", result.stdout, re.MULTILINE).group(1))
        assert visits == 2000
        assert hits < visits
        return asked, shared

    asked, shared = queries()
    stampede, none = queries("--stampede")
    assert stampede > 10 * asked
    assert shared > 0
    assert none == 0


def test_the_downloader_gives_up_at_the_first_error():
    result = start("16_downloader", "--missing")
    assert result.returncode == 0, result.stderr
    assert result.stdout == "gave up: GET /memory/leaks.txt: 404 File not found\n"
    assert result.stderr == ""


def chat_server():
    """The server of the chat as a process of its own, and its address."""
    command = [sys.executable, *AS_COMMAND, str(EXAMPLES / "17_chat_server.py"), "127.0.0.1:0"]
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    return server, server.stdout.readline().split()[-1]


def test_the_chat_server_throws_a_slow_reader_out_and_ends_on_ctrl_c():
    server, address = chat_server()
    host, port = address.split(":")
    with (
        socket.create_connection((host, int(port))) as slow,
        socket.create_connection((host, int(port))) as quick,
        quick.makefile("r") as heard,
    ):
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(b"slow lobby\n")
        assert slow.recv(100) == b"* slow is here\n"
        quick.sendall(b"quick lobby\n")
        assert heard.readline() == "* quick is here\n"
        line = "x" * 2_000
        for _ in range(5_000):  # 10 MB: more than the buffers of the host and the channel hold
            quick.sendall(f"{line}\n".encode())
            answer = heard.readline()
            if answer == "* slow has left\n":
                break
            assert answer == f"quick: {line}\n"
        else:
            pytest.fail("the slow reader is still there")
        server.send_signal(signal.SIGINT)
        output, errors = server.communicate(timeout=20)
    assert (output, errors, server.returncode) == ("goodbye\n", "", 0)


def test_the_load_client_says_that_the_server_is_gone():
    server, address = chat_server()
    server.kill()
    server.communicate()
    result = start("18_chat_load", address, "--guests", "10")
    assert result.returncode == 2
    assert f"dial tcp {address}: connect: connection refused" in result.stderr
