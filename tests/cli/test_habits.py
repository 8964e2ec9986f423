"""What every subcommand of `lethe` holds to, looked up in all of them: JSON, secrets, precedence, terminals, exit codes."""

import json
import os
import pty
import re
import select
import shlex
import subprocess
import sys

import click
import pytest

from cli.exit_codes import ExitCode
from cli.main import main
from tests.cli.service import Answer, problem, scored, submission

COLOUR = re.compile(rb"\x1b\[[0-9;]*(?:3[0-7]|4[0-7]|9[0-7]|38|48)[0-9;]*m")
CURSOR = re.compile(rb"\x1b\[[0-9;?]*[A-HJKhl]")


def walk(command, path=()):
    if not isinstance(command, click.Group):
        yield " ".join(path), command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        yield from walk(command.get_command(context, name), (*path, name))


COMMANDS = dict(walk(main))
RESULTLESS = {"serve", "worker", "up", "init", "completion", *(n for n in COMMANDS if n.startswith("user "))}
"""They run until they are stopped, or give one word or a script."""


def options_of(command):
    return {option: one for one in command.params for option in one.opts}


def test_there_are_commands_to_look_at():
    assert len(COMMANDS) > 20
    assert set(COMMANDS) >= RESULTLESS


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - RESULTLESS))
def test_every_command_with_a_result_gives_it_as_json(name):
    options = options_of(COMMANDS[name])
    assert "--json" in options
    assert options["--json"].name == "as_json", "the one by which failures are told in JSON too"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_no_command_takes_a_secret_as_an_argument(name):
    for one in COMMANDS[name].params:
        assert not re.search(r"token|password|secret|key", " ".join([one.name, *one.opts]))


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_option_says_what_it_is_for(name):
    assert COMMANDS[name].help
    for one in COMMANDS[name].params:
        assert isinstance(one, click.Argument) or one.help, one.name


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_shows_an_example_with_its_own_name_and_options(name):
    title, *lines = (COMMANDS[name].epilog or "").removeprefix("\b\n").splitlines()
    assert (title, bool(lines)) == ("For example:", True)
    for line in lines:
        words = shlex.split(re.search(rf"lethe {name}\b([^)]*)", line)[1].replace('"', "").replace("'", ""))
        given = {word for word in words if re.fullmatch(r"--[a-z-]+|-[a-z]", word)} - set(name.split())
        assert given <= set(options_of(COMMANDS[name]))


def test_the_flag_goes_before_the_environment_and_that_before_the_file(service, lethe, env, tmp_path):
    service.on("GET /competitions", Answer(200, {"items": []}))
    nobody = "http://127.0.0.1:9"
    config = tmp_path / "config" / "config.toml"
    config.parent.mkdir(exist_ok=True)
    config.write_text(f'url = "{service.url}"\n')
    env.setenv("LETHE_URL", nobody)
    assert lethe("competitions", "--url", service.url).exit_code == 0
    assert lethe("competitions").exit_code == ExitCode.NETWORK, "the environment's address, not the file's"
    env.delenv("LETHE_URL")
    assert lethe("competitions").exit_code == 0, "the file's"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (problem(401, "not_authenticated", "No."), ExitCode.AUTH),
        (problem(403, "forbidden", "No."), ExitCode.AUTH),
        (problem(404, "not_found", "No."), ExitCode.FAILED),
        (problem(409, "conflict", "No."), ExitCode.FAILED),
        (problem(429, "quota_exhausted", "No."), ExitCode.QUOTA),
        (Answer(hang_up=True), ExitCode.NETWORK),
        (problem(500, "internal_error", "No."), ExitCode.NETWORK),
    ],
)
@pytest.mark.parametrize("arguments", [("status", "abc123"), ("download", "abc123")])
def test_each_refusal_has_its_exit_code_and_json_names_it(service, lethe, answer, code, arguments):
    service.on("GET /submissions/abc123", answer)
    result = lethe(*arguments, "--json")
    assert result.exit_code == code
    assert json.loads(result.stdout)["exit_code"] == code


def test_a_wait_that_was_given_up_goes_on_where_it_was_with_the_command_that_is_named(service, lethe, folder):
    service.on("POST /competitions/digits/submissions?note=x", Answer(201, submission()))
    service.on("GET /submissions/abc123", Answer(200, submission("running")))
    stopped = lethe("submit", str(folder), "-c", "digits", "-m", "x", "--wait", "--timeout", "3")
    assert stopped.exit_code == ExitCode.TIMED_OUT
    named = re.search(r"Go on with: lethe (status abc123 --wait)", stopped.stderr)
    service.on("GET /submissions/abc123", Answer(200, scored()))
    assert lethe(*named[1].split()).exit_code == 0


def in_terminal(*arguments, **environment):
    """Run `lethe` with stderr on a real terminal; give what was drawn there, and stdout."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "cli.main", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", **environment},
    ) as process:
        os.close(theirs)
        drawn = b""
        while select.select([ours], [], [], 60)[0]:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not chunk:
                break
            drawn += chunk
        os.close(ours)
        return drawn, process.stdout.read()


@pytest.fixture
def waiting(service, env):
    """A submission that takes three polls, so that there is something to draw."""
    env.delenv("NO_COLOR", raising=False)
    going_on = Answer(200, submission("running", succeeded=1), {"Lethe-Poll-Interval": "0.2"})
    service.on("GET /submissions/abc123", going_on, going_on, Answer(200, scored()))
    return ("status", "abc123", "--wait")


def test_a_terminal_gets_a_bar_in_colour(waiting):
    drawn, stdout = in_terminal(*waiting)
    assert COLOUR.search(drawn)
    assert CURSOR.search(drawn)
    assert b"\x1b" not in stdout, "data are plain"


def test_with_no_color_a_terminal_gets_a_bar_without_colour(waiting):
    drawn, _ = in_terminal(*waiting, NO_COLOR="1")
    assert CURSOR.search(drawn)
    assert not COLOUR.search(drawn)


def test_a_dumb_terminal_and_a_pipe_get_lines_and_no_escapes(waiting, service):
    drawn, _ = in_terminal(*waiting, TERM="dumb")
    assert b"Run 2 of 4" in drawn
    assert b"\x1b" not in drawn
    service.on("GET /submissions/abc123", Answer(200, scored()))
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *waiting],
        capture_output=True,
        check=True,
        env={**os.environ, "FORCE_COLOR": "1"},
    )
    assert b"\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("competitions", ""),
        ("status", ""),
        ("final", "choose", "digits", ""),
        ("submissions", "-c", ""),
        ("admin", "entrants", ""),
        ("admin", "closing", ""),
    ],
)
def test_an_empty_name_is_neither_all_nor_the_last(service, lethe, words):
    result = lethe(*words)
    assert (result.exit_code, service.seen) == (2, []), result.stderr
    assert "is empty" in result.stderr
