import json
import subprocess
import sys

import pytest

HEAVY = {"torch", "numpy", "sqlalchemy", "fastapi", "pydantic", "httpx", "rich"}


def imported_by(*arguments):
    code = (
        "import sys, json\nfrom cli.main import main\n"
        f"try:\n    main({list(arguments)!r}, prog_name='lethe')\nexcept SystemExit:\n    pass\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout, set(json.loads(done.stderr.splitlines()[-1]))


def test_help_names_every_subcommand_and_imports_nothing_heavy():
    text, modules = imported_by("--help")
    for name in (
        "init",
        "local",
        "submit",
        "status",
        "cancel",
        "submissions",
        "download",
        "competitions",
        "data",
        "completion",
        "log",
        "leaderboard",
        "login",
        "score",
        "competition",
        "serve",
        "worker",
        "migrate",
        "up",
    ):
        assert f"\n  {name} " in text
    assert not HEAVY & modules


@pytest.mark.parametrize("name", ["submit", "status", "submissions", "data", "init", "local", "competitions"])
def test_a_participants_command_imports_no_torch_and_no_service_for_its_help(name):
    _, modules = imported_by(name, "--help")
    assert not {"torch", "numpy", "sqlalchemy", "fastapi"} & modules


def test_an_unknown_subcommand_is_a_usage_error(lethe):
    result = lethe("sumbit")
    assert result.exit_code == 2
    assert "submit" in result.stderr


def test_the_module_can_be_run_as_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("lethe, version")
