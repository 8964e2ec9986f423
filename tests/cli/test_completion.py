"""Completion for bash, zsh and fish: the script, and what it offers."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LETHE = Path(sys.executable).with_name("lethe")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script_that_names_the_command(lethe, shell):
    result = lethe("completion", shell)
    assert result.exit_code == 0
    assert f"_LETHE_COMPLETE={shell}_complete" in result.stdout
    assert "lethe" in result.stdout


def test_another_shell_is_a_usage_error_that_names_the_three(lethe):
    result = lethe("completion", "cmd")
    assert result.exit_code == 2
    assert "'bash', 'zsh', 'fish'" in result.stderr


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("lethe sub", {"submit", "submissions"}),
        ("lethe submit --w", {"--wait"}),
        ("lethe completion ", {"zsh"}),
    ],
)
def test_commands_options_and_values_are_offered(words, offered):
    environment = os.environ | {
        "_LETHE_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    done = subprocess.run([LETHE], env=environment, capture_output=True, text=True, check=True)
    found = {line.partition(",")[2] for line in done.stdout.splitlines()}
    assert offered <= found


def test_bash_takes_the_script(lethe):
    if shutil.which("bash") is None:
        pytest.fail("bash is needed to try its completion")
    script = lethe("completion", "bash").stdout
    done = subprocess.run(
        ["bash", "-c", f"{script}\ncomplete -p lethe"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().endswith(" lethe")
