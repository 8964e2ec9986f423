"""What a run prints: kept where the job asks for it, with both ends and a limit, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.status import Verdict
from tests.worker.sandbox.tools import bundle, facts
from worker.sandbox.base import Job, Log, RunResult, untold
from worker.sandbox.fake import Fake, failing
from worker.sandbox.log_pipe import Kept

LIMIT = 64 << 10


@given(st.lists(st.binary(max_size=40), max_size=20), st.integers(1, 60))
def test_both_ends_of_a_stream_are_kept_and_what_is_left_out_is_counted(chunks, limit):
    kept, whole = Kept(limit), b"".join(chunks)
    for chunk in chunks:
        kept.add(chunk)
    log = kept.log()
    dropped = max(0, len(whole) - limit)
    assert log.dropped_bytes == dropped
    if not dropped:
        assert log.text == whole
    else:
        head, tail = limit - limit // 2, limit // 2
        gap = f"\n[... {dropped} bytes are left out here ...]\n".encode()
        assert log.text == whole[:head] + gap + (whole[-tail:] if tail else b"")


@pytest.fixture(params=["take", "take_container"], ids=["bubblewrap", "docker"])
def logged(request):
    """Run one bundle in a real sandbox and keep what it prints."""
    take = request.getfixturevalue(request.param)

    def once(source, files=None, cutoff_seconds=20.0, log_bytes=LIMIT, printed=untold, should_stop=None):
        job = Job(bundle(source, files), 7, cutoff_seconds, log_bytes, printed)
        return take().run(job, should_stop or (lambda: False))

    return once


PRINTS = """
import ctypes, os, subprocess, sys
print("at import")
def unlearning(net):
    print("no line end", end="")
    print(" | to stderr \\u00fc", file=sys.stderr)
    os.write(1, b"straight to the descriptor\\n")
    subprocess.run([sys.executable, "-S", "-c", "print('from a child')"])
    ctypes.CDLL(None).puts(b"from C")
    ctypes.CDLL(None).fflush(None)
"""


def test_all_that_is_printed_comes_out_in_its_order(logged):
    result = logged(PRINTS)
    assert result.reason is None
    assert result.log == Log(
        "at import\nno line end | to stderr ü\nstraight to the descriptor\nfrom a child\nfrom C\n".encode()
    )


@pytest.mark.parametrize(
    ("source", "reason", "words"),
    [
        ("def unlearning(net):\n    secret = [1]\n    secret[5]", "raised", "secret[5]"),
        ("import no_such_package", "import_failed", "No module named 'no_such_package'"),
        ("def unlearning(net:", "import_failed", "SyntaxError"),
        ("def other(net): ...", "entry_function_missing", "no unlearning()"),
        ("def unlearning(one, two): ...", "unknown_argument_at_run", "four arguments"),
        ("def unlearning(net, rate): ...", "unknown_argument_at_run", "no value is known for rate"),
        ("def unlearning(net): return 3", "wrong_return_type", "returned int"),
        ("def unlearning(net): return {'a': net[4].weight}", "wrong_keys", "unknown ones: ['a']"),
        (
            "import torch\ndef unlearning(net): net[4] = torch.nn.Linear(144, 5)",
            "wrong_shapes",
            "4.weight has shape (5, 144), not (3, 144)",
        ),
        ("import sys\ndef unlearning(net): sys.exit('enough')", "died", "SystemExit: enough"),
        ("def unlearning(net): bytearray(1 << 60)", "memory_limit", "MemoryError"),
        ("import ctypes\ndef unlearning(net): ctypes.string_at(0)", "died", "Segmentation fault"),
    ],
)
def test_a_log_says_why_the_run_failed(logged, source, reason, words):
    result = logged(source)
    assert result.reason == reason
    assert words in result.log.text.decode()


def test_a_traceback_begins_with_the_participants_own_code(logged):
    lines = logged("def unlearning(net):\n    1 / 0").log.text.decode().splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert not any("participate" in line or "guarded" in line for line in lines)
    assert any('submission.py", line 2' in line for line in lines)
    assert lines[-1] == "ZeroDivisionError: division by zero"


UNPRINTABLE = """
class Odd(Exception):
    def __str__(self): raise SystemExit(0)
    __repr__ = __str__
def unlearning(net): raise Odd
"""


def test_an_exception_that_cannot_be_printed_changes_no_verdict(logged):
    assert logged(UNPRINTABLE).reason == "raised"


def test_what_is_printed_is_told_while_the_run_goes_on(logged):
    told = []
    source = "import time\nprint('begun')\ntime.sleep(60)"
    result = logged(source, printed=told.append, should_stop=lambda: bool(told), cutoff_seconds=59.0)
    assert told == [Log(b"begun\n")]
    assert (result.verdict, result.log) == (Verdict.CANCELLED, Log(b"begun\n"))


def test_what_was_printed_before_the_cutoff_is_there(logged):
    result = logged("import time\nprint('waiting', end='')\ntime.sleep(60)", cutoff_seconds=4.0)
    assert (result.verdict, result.log) == (Verdict.TIMED_OUT, Log(b"waiting"))


def test_who_prints_without_end_ends_at_the_cutoff_and_keeps_both_ends(logged):
    source = "print('begin')\nn = 0\nwhile True:\n    n += 1\n    print(f'{n:08d}' * 100)"
    result = logged(source, cutoff_seconds=4.0, log_bytes=1000)
    assert result.verdict is Verdict.TIMED_OUT
    assert result.seconds < 30
    text = result.log.text.decode()
    assert text.startswith("begin\n00000001")
    assert result.log.dropped_bytes > 100_000
    assert f"[... {result.log.dropped_bytes} bytes are left out here ...]" in text
    assert len(text) < 1100


def test_a_daemon_that_holds_the_pipe_dies_with_the_sandbox(logged):
    source = """
import os, time
def unlearning(net):
    if os.fork() == 0:
        os.setsid()
        while True: time.sleep(1)
    print("done")
"""
    result = logged(source)
    assert (result.reason, result.log) == (None, Log(b"done\n"))


LOOKS = """
import os, inside
print("hidden label 7")
inside.report([os.readlink(f"/proc/self/fd/{number}") for number in (0, 1, 2)])
"""


def test_a_run_on_hidden_data_has_no_log_and_no_pipe_but_the_same_bundle_has_both_on_public_data(logged):
    hidden, public = logged(LOOKS, log_bytes=0), logged(LOOKS)
    assert hidden.log is None
    assert facts(hidden) == ["/dev/null"] * 3
    assert public.log == Log(b"hidden label 7\n")
    assert facts(public)[0] == "/dev/null"
    assert all(name.startswith("pipe:") for name in facts(public)[1:])


def test_a_failure_on_hidden_data_leaves_a_verdict_and_a_reason_alone(logged):
    result = logged("def unlearning(net): raise ValueError('hidden label 7')", log_bytes=0)
    assert (result.verdict, result.reason, result.output, result.log) == (
        Verdict.CRASHED,
        "raised",
        b"",
        None,
    )


@pytest.mark.parametrize("log_bytes", [0, LIMIT])
@pytest.mark.parametrize("ending", [RunResult(0.0, b"x"), failing("raised")(Job(b"", 1, 1.0)), RunResult(9)])
def test_the_fake_plays_a_log_only_when_it_is_asked_for(spec, ending, log_bytes):
    played = RunResult(ending.seconds, ending.output, ending.verdict, ending.reason, Log(b"said"))
    result = Fake(lambda _job: played).start(spec).run(Job(b"", 1, 0.1, log_bytes), lambda: False)
    assert result.log == (Log(b"said") if log_bytes else None)
