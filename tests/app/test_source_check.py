"""What is said about submission.py without running it."""

import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from app import archive
from app.competitions import Bundle
from app.errors import Rejected
from app.source_check import KNOWN, MAX_SOURCE_BYTES, check

ARGUMENTS = "net, retain_loader, forget_loader, val_loader"


def code(source):
    problem = check(source.encode() if isinstance(source, str) else source, "unlearning")
    return problem and problem[0]


@pytest.mark.parametrize(
    "arguments",
    [
        ARGUMENTS,
        "model, retain, forget, validation",
        "forget, net",
        "net, retain_loader, *, device, class_weights=None",
        "net, retain, forget, validation_loader, epochs=3",
        "net, retain, forget, val_loader, **options",
        "a, b, c, d",
        "a, b, c, d, e=1",
        "a, b, *rest",
        "*loaders",
        "net, /, retain",
    ],
)
def test_arguments_that_can_be_met_pass(arguments):
    assert code(f"def unlearning({arguments}): pass") is None


@pytest.mark.parametrize(
    "arguments",
    ["net, retain, forget, temperature", "a, b, c", "", "a, b, c, d, e", "a, b, c, d, *, e", "**k"],
)
def test_arguments_that_cannot_be_met_are_refused(arguments):
    assert code(f"def unlearning({arguments}): pass") == "unknown_argument"


def test_an_unknown_argument_is_named_beside_the_known_ones():
    _, detail = check(b"\n\ndef unlearning(net, temperature): pass", "unlearning")
    assert "line 3" in detail
    assert "temperature" in detail
    assert all(name in detail for name in KNOWN)


@pytest.mark.parametrize(
    "source",
    [
        "from method import unlearning",
        "from method import run as unlearning",
        "from method import *",
        "unlearning = lambda a, b, c, d: None",
        "a, unlearning = 1, print",
        "unlearning: object = print",
        "class unlearning: pass",
        "try:\n    import x\nexcept ImportError:\n    def unlearning(net): pass",
        "if True:\n    pass\nelse:\n    def unlearning(net): pass",
        "@decorated\ndef unlearning(anything): pass",
        "def unlearning(bad): pass\ndef unlearning(net): pass",
    ],
)
def test_an_entry_function_may_come_about_in_many_ways(source):
    assert code(source) is None


@pytest.mark.parametrize(
    "source",
    [
        "",
        "x = 1",
        "def unlearn(net): pass",
        "class A:\n    def unlearning(self): pass",
        "def f():\n    unlearning = 1",
    ],
)
def test_a_missing_entry_function_is_refused(source):
    assert code(source) == "missing_entry_function"


def test_a_function_of_a_name_like_it_is_named():
    problem = check(b"def load(): pass\ndef unlearn(net): pass", "unlearning")
    assert problem is not None
    assert problem[1] == "submission.py defines no unlearning() at its top level, but unlearn()."


@pytest.mark.parametrize(
    ("source", "line"),
    [("x = 1\ndef unlearning(:\n", "line 2"), ("\n\nreturn 1\n", "line 3"), ("def f(a, a): pass", "line 1")],
)
def test_a_syntax_error_names_its_line(source, line):
    problem = check(source.encode(), "unlearning")
    assert problem[0] == "syntax_error"
    assert line in problem[1]


@pytest.mark.parametrize("source", [b"x = '\xff\xfe'", b"x = 1\0", b"# coding: nonsense\n"])
def test_bytes_that_are_no_source_are_a_syntax_error(source):
    assert code(source) == "syntax_error"


@pytest.mark.parametrize(
    "source",
    ["-" * 1_000_000 + "1", "x = " + "(" * 100_000, "x" + ".a" * 900_000, " " * (MAX_SOURCE_BYTES + 1)],
)
def test_source_that_would_kill_a_parser_is_refused_and_the_service_lives(tmp_path, source):
    path = tmp_path / "bundle.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("submission.py", source)
    with pytest.raises(Rejected) as caught:
        archive.inspect(path, Bundle(), "unlearning")
    assert caught.value.code in {"source_too_complex", "syntax_error"}


def test_the_checker_ends_itself_at_its_own_limit_of_time():
    endless = (
        "import itertools; from app import source_check; source_check._CPU_SECONDS = 1;"
        "source_check.check = lambda *_: [None for _ in itertools.count() if False]; source_check.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", endless, "unlearning"], input=b"", cwd=Path(__file__).parents[2], check=False
    )
    assert done.returncode == -signal.SIGXCPU


def test_source_is_never_run(tmp_path):
    path, mark = tmp_path / "bundle.zip", tmp_path / "ran"
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr("submission.py", f"open({str(mark)!r}, 'w')\ndef unlearning({ARGUMENTS}): pass\n")
    archive.inspect(path, Bundle(), "unlearning")
    assert not mark.exists()


def test_the_competitions_own_entry_function_is_looked_for():
    assert check(b"def forget_it(net): pass", "forget_it") is None
